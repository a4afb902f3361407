// SPDX-License-Identifier: Apache-2.0
// Reads arguments and writes help and list.
#include "framework/options.hpp"

#include "framework/kernel_table.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace chokepoint::kref {
namespace {

template <class Number>
Number number_from(const std::string& text, const std::string& option, const char* expected) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value <= 0) {
        throw std::invalid_argument(option + ": '" + text + "'; expected " + expected);
    }
    return value;
}

void set_command(Options& options, Command command) {
    if (options.command != Command::help) {
        throw std::invalid_argument("more than one of --list, --check, --run and --all; expected one");
    }
    options.command = command;
}

} // namespace

Options parse_options(const std::vector<std::string>& arguments) {
    Options options;
    std::size_t at = 0;
    const auto value_of = [&](const std::string& option) {
        if (at + 1 >= arguments.size()) {
            throw std::invalid_argument(option + ": ends the line; expected a value");
        }
        return arguments[++at];
    };
    for (; at < arguments.size(); ++at) {
        const std::string& a = arguments[at];
        if (a == "--help" || a == "-h") {
            return Options{};
        }
        if (a == "--list") {
            set_command(options, Command::list);
        } else if (a == "--check") {
            set_command(options, Command::check);
        } else if (a == "--all") {
            set_command(options, Command::all);
        } else if (a == "--run") {
            set_command(options, Command::run);
            options.filter = value_of(a);
        } else if (a == "--filter") {
            options.filter = value_of(a);
        } else if (a == "--mode") {
            const std::string text = value_of(a);
            options.mode = mode_from(text);
            if (!options.mode) {
                throw std::invalid_argument("--mode: '" + text + "'; expected cold, hot or sustained");
            }
        } else if (a == "--budget-s") {
            options.budget = Seconds(number_from<double>(value_of(a), a, "seconds above zero"));
        } else if (a == "--sm-limit") {
            options.sm_limit = number_from<int>(value_of(a), a, "a number of SMs above zero");
        } else if (a == "--json") {
            options.json = value_of(a);
        } else if (a == "--commit") {
            options.commit = value_of(a);
        } else if (a == "--seed") {
            options.seed = number_from<std::uint64_t>(value_of(a), a, "a whole number above zero");
        } else {
            throw std::invalid_argument("unknown argument '" + a + "'; see kref --help");
        }
    }
    if (options.command == Command::help && !arguments.empty()) {
        throw std::invalid_argument("nothing to do; expected --list, --check, --run or --all");
    }
    return options;
}

std::string help_text() {
    return R"(Usage: kref COMMAND [OPTIONS]

Checks and times the kernels of a training step on this machine's GPU.

  --list               One line for each kernel; needs no GPU
  --check              Compare every kernel and shape with its CPU reference
  --run FILTER         Check and time kernels whose name matches: "gemm-*,norm-fwd"
  --all                Everything: ceilings, checks, timings, on fewer SMs, beside a copy, sustained

  --filter FILTER      Restrict --list, --check or --all
  --mode MODE          cold, hot or sustained; --run takes all of them unless told
  --budget-s SECONDS   Stop after this long, least important last (600)
  --sm-limit N         --run on N SMs
  --json FILE          Write the measurement file; - is stdout
  --commit TEXT        What the file says was built
  --seed N             Of inputs and samples; drawn anew unless given

cuBLAS and cuDNN are found through LD_LIBRARY_PATH when a kernel needs them.

Example: kref --all --budget-s 590 --json h100.json
)";
}

std::string list_text(const std::string& filter) {
    std::string text;
    for (const Kernel& kernel : kernels()) {
        if (!matches(kernel.name, filter)) {
            continue;
        }
        char line[256];
        std::snprintf(line, sizeof line, "%-25.*s %-19.*s %-5.*s %-11.*s %-13.*s %4zu shapes  ",
                      static_cast<int>(kernel.name.size()), kernel.name.data(),
                      static_cast<int>(kernel.kernel_class.size()), kernel.kernel_class.data(),
                      static_cast<int>(dtype_name(kernel.precision).size()),
                      dtype_name(kernel.precision).data(),
                      static_cast<int>(scaling_name(kernel.precision).size()),
                      scaling_name(kernel.precision).data(), static_cast<int>(kernel.implementation.size()),
                      kernel.implementation.data(), kernel.cases().size());
        text += line;
        text += kernel.summary;
        text += '\n';
    }
    return text;
}

} // namespace chokepoint::kref
