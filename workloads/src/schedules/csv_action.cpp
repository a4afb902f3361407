// SPDX-License-Identifier: Apache-2.0
// The words of torch.distributed.pipelining's actions: pytorch, torch/distributed/pipelining/schedules.py,
// _ComputationType and _Action.
#include "csv_action.hpp"

#include "orders.hpp"

#include <chokepoint/workloads/schedule_csv.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace chokepoint::work {

namespace {

// Far beyond any pipeline; keeps what a slip of the pen can make us allocate small.
constexpr int kMaxNumber = 999'999;
constexpr std::size_t kMaxQuoted = 40;

constexpr std::string_view kOlderBackward = "BW";

struct Word {
    std::string_view text;
    std::optional<ActionKind> kind; ///< nothing: communication
    bool micro_batch = true;        ///< whether it must name one
};
constexpr std::array kWords{
    Word{"F", ActionKind::forward},
    Word{"B", ActionKind::backward},
    Word{"I", ActionKind::input_backward},
    Word{"W", ActionKind::weight_backward},
    Word{kOlderBackward, ActionKind::backward},
    Word{"SEND_F", std::nullopt},
    Word{"RECV_F", std::nullopt},
    Word{"SEND_B", std::nullopt},
    Word{"RECV_B", std::nullopt},
    Word{"WAIT_SEND_F", std::nullopt}, // from PyTorch 2.15 on
    Word{"WAIT_SEND_B", std::nullopt},
    Word{"UNSHARD", std::nullopt, false},
    Word{"RESHARD", std::nullopt, false},
    Word{"REDUCE_GRAD", std::nullopt, false},
    Word{"WAIT_REDUCE_GRAD", std::nullopt, false},
};
constexpr std::string_view kOverlap = "OVERLAP_F_B";

std::string quoted(std::string_view cell) {
    std::string text = "'";
    for (const char c : cell.substr(0, kMaxQuoted)) {
        text += c >= ' ' && c <= '~' ? c : '?';
    }
    return text + (cell.size() > kMaxQuoted ? "…'" : "'");
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? ""
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

CsvCell unknown(std::string_view cell) {
    return {std::nullopt, fmt::format("unknown action {}; expected a stage, F, B, I or W and a micro-batch, "
                                      "as in 0F3, or (0F3;7B1)OVERLAP_F_B",
                                      quoted(cell))};
}

/// The digits at the start of `text`, which it takes away; nothing if there are none or too many.
std::optional<int> take_number(std::string_view& text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || text.starts_with('-') || number > kMaxNumber) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

CsvCell parse_single(std::string_view cell) {
    std::string_view rest = cell;
    const std::optional<int> stage = take_number(rest);
    const std::string_view letters = rest.substr(0, rest.find_first_of("0123456789"));
    const auto* word = std::ranges::find(kWords, letters, &Word::text);
    if (!stage || word == kWords.end()) {
        return unknown(cell);
    }
    rest.remove_prefix(letters.size());
    if (rest.empty() && word->micro_batch) {
        return {std::nullopt, fmt::format("action {} names no micro-batch", quoted(cell))};
    }
    const std::optional<int> micro_batch = rest.empty() ? 0 : take_number(rest);
    if (!micro_batch || !rest.empty()) {
        return unknown(cell);
    }
    if (!word->kind) {
        return {};
    }
    return {*word->kind == ActionKind::forward ? forward(*stage, *micro_batch)
                                               : backward(*word->kind, *stage, *micro_batch),
            "", letters == kOlderBackward};
}

/// "(0F3;7B1)OVERLAP_F_B", the two in any order.
CsvCell parse_pair(std::string_view cell) {
    const std::size_t separator = cell.find(';');
    const std::size_t end = cell.find(')');
    if (end == std::string_view::npos || separator > end || trimmed(cell.substr(end + 1)) != kOverlap) {
        return unknown(cell);
    }
    CsvCell first = parse_single(trimmed(cell.substr(1, separator - 1)));
    CsvCell second = parse_single(trimmed(cell.substr(separator + 1, end - separator - 1)));
    for (const CsvCell* half : {&first, &second}) {
        if (!half->fault.empty()) {
            return *half;
        }
    }
    if (first.action && second.action && first.action->kind == ActionKind::backward) {
        std::swap(first, second);
    }
    if (!first.action || !second.action || first.action->kind != ActionKind::forward ||
        second.action->kind != ActionKind::backward) {
        return {std::nullopt, fmt::format("overlapped pair {}; expected one F and one B", quoted(cell))};
    }
    return {overlapped(*first.action, *second.action), ""};
}

} // namespace

CsvCell parse_csv_cell(std::string_view cell) {
    cell = trimmed(cell);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
        cell = trimmed(cell.substr(1, cell.size() - 2));
    }
    if (cell.empty()) {
        return {};
    }
    return cell.front() == '(' ? parse_pair(cell) : parse_single(cell);
}

std::string csv_cell(const Action& action) {
    const auto ahead = [&] {
        return fmt::format("{}F{}", index(action.forward_stage), action.forward_micro_batch);
    };
    const auto back = [&](char letter) {
        return fmt::format("{}{}{}", index(action.backward_stage), letter, action.backward_micro_batch);
    };
    switch (action.kind) {
    case ActionKind::forward:
        return ahead();
    case ActionKind::backward:
        return back('B');
    case ActionKind::input_backward:
        return back('I');
    case ActionKind::weight_backward:
        return back('W');
    case ActionKind::overlapped:
        return fmt::format("({};{}){}", ahead(), back('B'), kOverlap);
    }
    throw std::logic_error(fmt::format("action kind {} has no CSV form", static_cast<int>(action.kind)));
}

} // namespace chokepoint::work
