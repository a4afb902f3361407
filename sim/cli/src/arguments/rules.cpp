// SPDX-License-Identifier: Apache-2.0
// Arguments of rules.
#include "arguments.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace chokepoint::cli {

namespace {

/// YYYY-MM-DD with a month and a day that can be.
bool is_date(const std::string& text) {
    int year = 0, month = 0, day = 0, end = 0;
    return std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 && end == 10 &&
           text.size() == 10 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

struct RulesArguments {
    Common common;
    RulesOptions rules;
};

} // namespace

void add_rules_command(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<RulesArguments>();
    CLI::App* rules = app.add_subcommand(
        "rules", "Print what each export rule says of each part, or design a part for one");
    rules
        ->add_option("PART", options->rules.parts,
                     "Parts, as `chokepoint list gpus` prints them; all if none")
        ->type_name("");
    rules->add_option("--on", options->rules.on, "Only rules in force on this day")
        ->check(
            [](const std::string& day) { return is_date(day) ? "" : "expected a date such as 2023-11-17"; })
        ->type_name("DATE");
    rules
        ->add_option("--cap", options->rules.caps,
                     "A cap on the named parts, as in 'nvlink=400 GB/s'; repeatable: nvlink, "
                     "memory_bandwidth, tpp")
        ->allow_extra_args(false)
        ->type_name("KEY=RATE");
    rules->add_option("--design", options->rules.design, "Print every minimal set of caps for this part…")
        ->type_name("PART");
    rules->add_option("--under", options->rules.under, "…that this rule admits; repeatable, all must")
        ->type_name("RULE");
    add_common(*rules, options->common, false);
    add_json(*rules, options->common);
    rules->footer("Example:\n  chokepoint rules --design h100-sxm --under us-2022-10");
    rules->callback([options, &selected] {
        selected = [options] { return rules_command(options->rules, options->common); };
    });
}

} // namespace chokepoint::cli
