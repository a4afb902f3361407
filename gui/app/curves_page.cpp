// SPDX-License-Identifier: GPL-3.0-or-later
#include "curves_page.hpp"

#include "card_strip.hpp"
#include "catalog_lists.hpp"
#include "chart_panel.hpp"
#include "curve_controls.hpp"
#include "document.hpp"
#include "headline_card.hpp"
#include "work_bar.hpp"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QSlider>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

constexpr int kReadEveryMilliseconds = 150;
constexpr int kCardHeight = 206; // pixels: kept free from the beginning
/// Points are taken in portions, so that the window answers between them.
constexpr std::size_t kPortion = 400;

QSlider* horizontal_slider(QWidget* parent) {
    auto* slider = new QSlider(Qt::Horizontal, parent);
    slider->setAccessibleName(QObject::tr("Place on the axis"));
    return slider;
}

} // namespace

CurvesPage::CurvesPage(Document& document, QWidget* parent)
    : Page(parent),
      document_(document),
      lists_(std::make_unique<CatalogLists>()),
      sweep_(std::make_unique<Runner>()),
      rules_(std::make_unique<Runner>()),
      controls_(new CurveControls(document, *lists_, this)),
      panel_(new ChartPanel(this)),
      slider_(horizontal_slider(this)),
      pointed_(new QLabel(this)),
      cards_(new CardStrip(this, kCardHeight)),
      work_(new WorkBar(this)) {
    layOut();
    timer_.setInterval(kReadEveryMilliseconds);
    connect(&timer_, &QTimer::timeout, this, [this] {
        if (!read() && begun_ && !sweep_->running() &&
            curves_.finished() == static_cast<qint64>(curves_.known().size())) {
            timer_.stop(); // a store is watched until its sweep is complete
        }
    });
    connect(controls_, &CurveControls::viewChanged, this, &CurvesPage::refresh);
    connect(controls_, &CurveControls::runAsked, this, [this] { sweep_->running() ? cancel() : run(); });
    connect(controls_, &CurveControls::openAsked, this, &CurvesPage::askOpen);
    connect(sweep_.get(), &Runner::told, this, [this](const QJsonObject& progress) {
        if (!begun_ && progress.value("id").isDouble()) {
            attempt([&] { begin(progress.value("id").toInteger()); });
        }
        work_->setProgress(tr("%1 of %2 points,")
                               .arg(progress.value("finished").toInt())
                               .arg(progress.value("points").toInt()),
                           progress.value("share").toDouble());
    });
    connect(sweep_.get(), &Runner::failed, this,
            [this](const QString& message) { work_->setMessage(message); });
    connect(sweep_.get(), &Runner::ended, this, [this] {
        const QString message = work_->message();
        work_->clear();
        readAll();
        timer_.stop();
        controls_->setRunning(false);
        panel_->setEnabled(begun_ || curves_.empty());
        tellRefusals();
        if (!message.isEmpty()) {
            work_->setMessage(message);
        }
    });
    connect(work_, &WorkBar::cancelled, this, &CurvesPage::cancel);
    connect(rules_.get(), &Runner::finished, this, [this](const QByteArray& json) {
        try {
            rulesAnswer_ = parse_answer(json, "chokepoint/rules/1");
            controls_->setParts(rulesAnswer_);
        } catch (const ContractError& error) {
            work_->setMessage(QString::fromUtf8(error.what()));
        }
        refresh();
    });
    connect(slider_, &QSlider::valueChanged, this, [this] {
        sliding_ = true;
        showPointed();
    });
    connect(panel_, &ChartPanel::clicked, this, [this](double x, double) { pointAt(x); });
}

CurvesPage::~CurvesPage() { sweep_->disconnect(this); }

void CurvesPage::layOut() {
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(controls_);
    layout->addWidget(work_);
    layout->addWidget(panel_, 1);
    auto* place = new QHBoxLayout;
    place->addWidget(pointed_);
    place->addWidget(slider_, 1);
    layout->addLayout(place);
    cards_->setAccessibleName(tr("Figures at the slider's place"));
    layout->addWidget(cards_);
    slider_->setEnabled(false);
    panel_->setHint(
        tr("Choose an axis and a range, and press Run: the curve of the open scenario fills in here."));
    pointed_->setMinimumWidth(110);
    pointed_->setAccessibleName(tr("The slider's place"));
}

void CurvesPage::activate() {
    if (rulesAnswer_.isEmpty() && !rules_->running()) {
        rules_->start({{"rules", "--json", "-"}, {}, {}});
    }
    if (revision_ >= 0 && revision_ != document_.revision() && !sweep_->running()) {
        panel_->setEnabled(false); // of another text: dimmed until it runs again
        work_->setMessage(tr("The scenario has changed since: run the curve again."));
    }
}

void CurvesPage::demonstrate() {
    activate();
    if (document_.isOpen()) {
        controls_->splitBy("cluster.gpu", "h800-sxm, h20-sxm");
        run();
    }
}

void CurvesPage::run() {
    work_->clear();
    if (!document_.isOpen()) {
        work_->setMessage(tr("Open a scenario first."));
        return;
    }
    CurveRequest request;
    try {
        request = controls_->request();
    } catch (const std::invalid_argument& error) {
        work_->setMessage(QString::fromUtf8(error.what()));
        return;
    }
    file_ = scratch_.filePath("curves.db");
    acrossKey_ = request.axis.key;
    store_.reset();
    begun_ = false;
    revision_ = document_.revision();
    panel_->setEnabled(false); // the old curves until the first new point
    controls_->setRunning(true);
    work_->setProgress(tr("starting"), 0.0);
    QStringList options{"--store", file_, "--progress", "json"};
    for (const QString& axis : request.axes) {
        options << "--axis" << axis;
    }
    sweep_->start(document_.invocation("sweep", options));
    timer_.start();
}

void CurvesPage::cancel() { sweep_->cancel(); }

void CurvesPage::openStore(const QString& file) {
    sweep_->cancel();
    work_->clear();
    attempt([&] {
        store_ = std::make_unique<SweepStore>(file);
        file_ = file;
        acrossKey_.clear();
        revision_ = -1;
        begin({});
        readAll();
        tellRefusals();
        timer_.start();
    });
}

void CurvesPage::attempt(const std::function<void()>& work) {
    try {
        work();
    } catch (const std::exception& error) {
        timer_.stop();
        work_->setMessage(QString::fromUtf8(error.what()));
    }
}

void CurvesPage::begin(std::optional<qint64> sweep) {
    if (store_ == nullptr) {
        store_ = std::make_unique<SweepStore>(file_);
    }
    auto found = store_->sweep(sweep);
    if (!found) {
        throw std::runtime_error(tr("'%1' holds no sweep").arg(file_).toStdString());
    }
    if (revision_ >= 0) {
        found->title = document_.name();
    }
    curves_ = SweepCurves(std::move(*found), acrossKey_);
    begun_ = true;
    sliding_ = false;
    panel_->setEnabled(true);
}

bool CurvesPage::read() {
    if (!begun_) {
        return false;
    }
    bool any = false;
    attempt([&] {
        for (const StoredPoint& point : store_->points(curves_.sweep(), curves_.known(), kPortion)) {
            curves_.add(point);
            any = true;
        }
    });
    if (any) {
        refresh();
    }
    return any;
}

void CurvesPage::readAll() {
    while (read()) {
    }
}

void CurvesPage::tellRefusals() {
    const QStringList& refusals = curves_.refusals();
    if (begun_ && !refusals.isEmpty()) {
        work_->setMessage(refusals.size() > 1
                              ? tr("%1 (and %2 more)").arg(refusals.first()).arg(refusals.size() - 1)
                              : refusals.first());
    }
}

void CurvesPage::refresh() {
    const std::vector<double> places = curves_.places();
    if (places.empty()) {
        return;
    }
    CurveView view{.axis = curves_.axis(),
                   .metric = controls_->metric(),
                   .log_x = controls_->logX() && places.front() > 0.0,
                   .log_y = controls_->logY(),
                   .marks = {}};
    for (const Mark& mark : threshold_marks(rulesAnswer_, curves_.axis())) {
        if (mark.at >= places.front() && mark.at <= places.back() * 1.001) {
            view.marks.push_back(mark);
        }
    }
    const auto last = static_cast<int>(places.size()) - 1;
    {
        const QSignalBlocker quiet(slider_);
        slider_->setRange(0, last);
        slider_->setEnabled(last > 0);
        if (!sliding_) {
            slider_->setValue(last);
        }
    }
    panel_->setChart(curve_chart(view, curves_.names(), curves_.curves()));
    showPointed();
}

void CurvesPage::pointAt(double x) {
    const std::vector<double> places = curves_.places();
    const auto nearest =
        std::ranges::min_element(places, {}, [x](double place) { return std::abs(place - x); });
    if (nearest != places.end()) {
        slider_->setValue(static_cast<int>(nearest - places.begin()));
    }
}

void CurvesPage::showPointed() {
    const std::vector<double> places = curves_.places();
    if (places.empty()) {
        return;
    }
    while (headlines_.size() < curves_.curves().size()) {
        headlines_.push_back(new HeadlineCard(static_cast<int>(headlines_.size()), this));
        headlines_.back()->setMinimumWidth(230);
        cards_->add(headlines_.back());
    }
    const double x = places[std::min(static_cast<std::size_t>(slider_->value()), places.size() - 1)];
    const QString unit = curves_.axis().unit == "e12" ? QString(" T") : curves_.axis().unit;
    pointed_->setText(QString("<b>%1%2</b>").arg(x).arg(unit));
    panel_->setPointer(sliding_ ? std::optional(x) : std::nullopt);
    const RunResult* basis = nullptr;
    for (std::size_t i = 0; i < headlines_.size(); ++i) {
        const bool used = i < curves_.curves().size();
        headlines_[i]->setVisible(used);
        const auto found = used ? curves_.curves()[i].find(x) : Curve::const_iterator();
        const bool known = used && found != curves_.curves()[i].end();
        const QString why = used && !known ? curves_.refusal(i, x) : QString();
        headlines_[i]->setEnabled(known || !why.isEmpty());
        if (known) {
            headlines_[i]->show(found->second, basis);
            basis = basis == nullptr ? &found->second : basis;
        } else if (used) {
            headlines_[i]->showRefusal(why);
        }
        if (used) {
            headlines_[i]->setTitle(curves_.names()[i]);
        }
    }
}

void CurvesPage::askOpen() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Open a result store"), {},
                                                      tr("Result stores (*.db *.sqlite);;All files (*)"));
    if (!file.isEmpty()) {
        openStore(file);
    }
}

bool CurvesPage::busy() const { return sweep_->running() || rules_->running(); }
bool CurvesPage::empty() const { return curves_.empty(); }
QString CurvesPage::problem() const { return work_->message(); }

} // namespace chokepoint::gui
