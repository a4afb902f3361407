// SPDX-License-Identifier: Apache-2.0
// Measurements as lines of tab-separated fields in a fixed order.
#include "framework/measurement.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

namespace chokepoint::kref {
namespace {

constexpr std::array<std::string_view, 4> kSharings{"alone", "limited", "held", "beside"};
constexpr std::array<std::string_view, 7> kOutcomes{"timed", "checked", "wrong",  "unsupported",
                                                    "error", "died",    "skipped"};

class LineWriter {
public:
    template <class Number> void number(Number value) {
        std::array<char, 40> text{};
        const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        append({text.data(), static_cast<std::size_t>(end - text.data())});
    }
    void text(std::string value) {
        for (char& c : value) {
            c = (c == '\t' || c == '\n' || c == '\r') ? ' ' : c;
        }
        append(value);
    }
    [[nodiscard]] const std::string& line() const { return line_; }

private:
    void append(std::string_view field) {
        if (!first_) {
            line_ += '\t';
        }
        first_ = false;
        line_ += field;
    }
    std::string line_;
    bool first_ = true;
};

class LineReader {
public:
    explicit LineReader(std::string_view line) : rest_(line) {}
    template <class Number> Number number(const char* field) {
        const std::string_view token = next(field);
        Number value{};
        const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
        if (error != std::errc{} || end != token.data() + token.size()) {
            throw std::runtime_error("measurement line: " + std::string(field) + " is '" +
                                     std::string(token) + "'; expected a number");
        }
        return value;
    }
    std::string text(const char* field) { return std::string(next(field)); }

private:
    std::string_view next(const char* field) {
        if (ended_) {
            throw std::runtime_error("measurement line: ends before " + std::string(field));
        }
        const std::size_t tab = rest_.find('\t');
        const std::string_view token = rest_.substr(0, tab);
        ended_ = tab == std::string_view::npos;
        rest_ = ended_ ? std::string_view() : rest_.substr(tab + 1);
        return token;
    }
    std::string_view rest_;
    bool ended_ = false;
};

template <class Enum> Enum enumerator(int value, std::size_t count, const char* what) {
    if (value < 0 || static_cast<std::size_t>(value) >= count) {
        throw std::runtime_error("measurement line: " + std::string(what) + " is " + std::to_string(value) +
                                 "; expected less than " + std::to_string(count));
    }
    return static_cast<Enum>(value);
}

} // namespace

std::string_view name(Sharing sharing) { return kSharings.at(static_cast<std::size_t>(sharing)); }
std::string_view name(Outcome outcome) { return kOutcomes.at(static_cast<std::size_t>(outcome)); }

std::string to_line(const Measurement& m) {
    LineWriter w;
    w.number(m.kernel);
    w.number(m.case_index);
    w.number(static_cast<int>(m.outcome));
    w.number(static_cast<int>(m.mode));
    w.number(static_cast<int>(m.sharing));
    w.number(m.sms_held);
    for (const Seconds s : {m.time.p5, m.time.p25, m.time.median, m.time.p75, m.time.p95}) {
        w.number(s.count());
    }
    w.number(m.time.samples);
    w.number(m.check.passed ? 1 : 0);
    w.number(m.check.error);
    w.number(m.check.bound);
    w.number(m.board.sm_mhz);
    w.number(m.board.memory_mhz);
    w.number(m.board.power_milliwatts);
    w.number(m.board.temperature_celsius);
    w.number(m.board.throttle_bits);
    w.number(m.beside_bytes_per_second);
    w.text(m.check.note);
    w.text(m.note);
    return w.line();
}

Measurement measurement_from(std::string_view line) {
    LineReader r(line);
    Measurement m;
    m.kernel = r.number<int>("kernel");
    m.case_index = r.number<int>("case");
    m.outcome = enumerator<Outcome>(r.number<int>("outcome"), kOutcomes.size(), "outcome");
    m.mode = enumerator<Mode>(r.number<int>("mode"), 3, "mode");
    m.sharing = enumerator<Sharing>(r.number<int>("sharing"), kSharings.size(), "sharing");
    m.sms_held = r.number<int>("sms_held");
    for (Seconds* s : {&m.time.p5, &m.time.p25, &m.time.median, &m.time.p75, &m.time.p95}) {
        *s = Seconds(r.number<double>("time"));
    }
    m.time.samples = r.number<int>("samples");
    m.check.passed = r.number<int>("passed") != 0;
    m.check.error = r.number<double>("error");
    m.check.bound = r.number<double>("bound");
    m.board.sm_mhz = r.number<unsigned>("sm_mhz");
    m.board.memory_mhz = r.number<unsigned>("memory_mhz");
    m.board.power_milliwatts = r.number<unsigned>("power");
    m.board.temperature_celsius = r.number<unsigned>("temperature");
    m.board.throttle_bits = r.number<unsigned long long>("throttle");
    m.beside_bytes_per_second = r.number<double>("beside rate");
    m.check.note = r.text("check note");
    m.note = r.text("note");
    return m;
}

} // namespace chokepoint::kref
