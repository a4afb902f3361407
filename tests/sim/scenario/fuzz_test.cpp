// SPDX-License-Identifier: Apache-2.0
// Whatever a file holds, the loader answers with a scenario or with faults that have a place and a message.
#include "scenario_text.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace chokepoint;

namespace {

// mt19937's numbers are the same everywhere; the standard's distributions are not.
class Dice {
public:
    explicit Dice(std::uint32_t seed) : engine_(seed) {}
    std::size_t below(std::size_t n) { return engine_() % n; }

private:
    std::mt19937 engine_;
};

std::string random_bytes(Dice& dice) {
    std::string text(dice.below(200), '\0');
    for (char& c : text) {
        c = static_cast<char>(dice.below(256));
    }
    return text;
}

/// Text that looks like TOML from far away.
std::string random_tokens(Dice& dice) {
    const std::vector<std::string> tokens = {
        "[",       "]",    "{",  "}",      "=",      ".",   ",",          "\"",       "'",    "\n",
        "#",       "\\",   " ",  "1",      "-",      "e9",  "nan",        "true",     "plan", "model",
        "cluster", "caps", "[[", "\"\"\"", "expert", "gpu", "1979-05-27", "\xC3\xA9", "0x",   "_"};
    std::string text;
    for (std::size_t left = dice.below(60); left > 0; --left) {
        text += tokens[dice.below(tokens.size())];
    }
    return text;
}

/// A scenario with a few edits: bytes changed, cut, doubled, or numbers replaced.
std::string mutated(std::string text, Dice& dice) {
    const std::vector<std::string> values = {
        "0", "-1",    "3", "1e308", "9223372036854775807", "\"\"", "[]",     "nan",
        "1", "65536", "7", "{}",    "\"1 GB/s\"",          "true", "[[[]]]", "2048"};
    for (std::size_t edits = 1 + dice.below(4); edits > 0 && !text.empty(); --edits) {
        const std::size_t place = dice.below(text.size());
        switch (dice.below(5)) {
        case 0:
            text[place] = static_cast<char>(dice.below(128));
            break;
        case 1:
            text.erase(place, dice.below(20));
            break;
        case 2:
            text.insert(place, text.substr(dice.below(text.size()), dice.below(30)));
            break;
        default:
            if (const std::size_t equals = text.find("= ", place); equals != std::string::npos) {
                const std::size_t end = std::min(text.find('\n', equals), text.size());
                text.replace(equals + 2, end - equals - 2, values[dice.below(values.size())]);
            }
        }
    }
    return text;
}

/// Every fault has a place in the file and says something printable.
void expect_answer(const std::string& text) {
    try {
        test::load({}, text);
    } catch (const sim::ScenarioError& error) {
        ASSERT_FALSE(error.faults().empty()) << text;
        for (const sim::Diagnostic& fault : error.faults()) {
            EXPECT_GE(fault.line, 1) << text;
            EXPECT_GE(fault.column, 1) << text;
            EXPECT_FALSE(fault.message.empty()) << text;
        }
    } // anything else fails the test
}

} // namespace

TEST(ScenarioFuzz, RandomBytesGetAnAnswer) {
    Dice dice(1);
    for (int i = 0; i < 200; ++i) {
        ASSERT_NO_THROW(expect_answer(random_bytes(dice)));
    }
}

TEST(ScenarioFuzz, RandomTokensGetAnAnswer) {
    Dice dice(2);
    for (int i = 0; i < 300; ++i) {
        const std::string text = random_tokens(dice);
        ASSERT_NO_THROW(expect_answer(text)) << text;
    }
}

TEST(ScenarioFuzz, MutatedScenariosGetAnAnswer) {
    Dice dice(3);
    const std::string large = test::read_text(test::kSource / "scenarios/deepseek-v3-h800.toml");
    const std::string small = test::read_text(test::kSource / "scenarios/small-16-gpus.toml");
    for (int i = 0; i < 150; ++i) {
        const std::string text = mutated(i % 2 == 0 ? large : small, dice);
        ASSERT_NO_THROW(expect_answer(text)) << text;
    }
}
