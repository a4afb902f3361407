// SPDX-License-Identifier: GPL-3.0-or-later
#include "kept_question.hpp"

#include <utility>

namespace chokepoint::gui {

KeptQuestion::KeptQuestion(const AnswerStore& store, Take take, QObject* parent)
    : QObject(parent),
      store_(store),
      take_(std::move(take)) {
    connect(&runner_, &Runner::finished, this, [this](const QByteArray& json) {
        since_ = {};
        taken_ = take_(json);
        takenKey_ = key_;
        // Of data that changed meanwhile nobody knows which of it was read.
        if (taken_ && store_.key(arguments_) == key_) {
            store_.keep(arguments_, key_, json);
        }
        emit answered();
    });
}

KeptQuestion::~KeptQuestion() { runner_.disconnect(); }

void KeptQuestion::ask(const QStringList& arguments) {
    const QByteArray key = store_.key(arguments);
    if (taken_ && arguments == arguments_ && key == takenKey_) {
        key_ = key;
        return;
    }
    if (runner_.running() && arguments == arguments_ && key == key_) {
        return;
    }
    if (const auto kept = store_.find(arguments, key); kept && take_(kept->json)) {
        runner_.cancel();
        arguments_ = arguments;
        key_ = takenKey_ = key;
        taken_ = true;
        since_ = kept->since;
        emit answered();
        return;
    }
    askAnew(arguments);
}

void KeptQuestion::askAnew(const QStringList& arguments) {
    arguments_ = arguments;
    key_ = store_.key(arguments);
    runner_.start({arguments, {}, {}});
}

} // namespace chokepoint::gui
