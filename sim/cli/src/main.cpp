// SPDX-License-Identifier: Apache-2.0
// The command line: parses arguments, runs one command, turns exceptions into messages and exit codes.
#include "collective_command.hpp"
#include "commands.hpp"

#include <chokepoint/hwmodels/build_info.hpp>
#include <chokepoint/sim/scenario.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>

namespace {

using namespace chokepoint;

/// An exception and what it was thrown from, outermost first, one line each.
void print_chain(const std::exception& error) {
    fmt::print(stderr, "chokepoint: {}\n", error.what());
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& cause) {
        print_chain(cause);
    }
}

int guarded(const std::function<int()>& command) {
    try {
        return command();
    } catch (const sim::ScenarioError& error) {
        for (const sim::Diagnostic& fault : error.faults()) {
            fmt::print(stderr, "{}\n", sim::to_text(fault));
        }
        return cli::kWrongInput;
    } catch (const hw::CatalogError& error) {
        fmt::print(stderr, "{}\n", error.what());
        return cli::kWrongInput;
    } catch (const cli::UsageError& error) {
        fmt::print(stderr, "chokepoint: {}\n", error.what());
        return cli::kWrongInput;
    } catch (const std::exception& error) {
        print_chain(error);
        return cli::kFailed;
    }
}

const std::map<std::string, cli::ProgressStyle> kProgressStyles{{"auto", cli::ProgressStyle::automatic},
                                                                {"json", cli::ProgressStyle::json},
                                                                {"none", cli::ProgressStyle::none}};

const std::map<std::string, sim::Fold> kFolds{
    {"auto", sim::Fold::automatic}, {"none", sim::Fold::none}, {"stage", sim::Fold::stage}};

struct Arguments {
    cli::Common common;
    std::string scenario, other_scenario, kind, id;
    std::string trace_output = "trace.json";
    std::vector<int> ranks;
    cli::RulesOptions rules;
    cli::ScheduleOptions schedule;
    cli::CollectiveOptions collective;
    cli::ImportOptions import;
    cli::ValidateOptions validate;
    cli::CalibrateOptions calibrate;
    cli::ShowOptions show;
};

/// YYYY-MM-DD with a month and a day that can be.
bool is_date(const std::string& text) {
    int year = 0, month = 0, day = 0, end = 0;
    return std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 && end == 10 &&
           text.size() == 10 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

void add_common(CLI::App& command, cli::Common& common, bool scenario) {
    if (scenario) {
        command
            .add_option("--set", common.overrides,
                        "Override a scenario key, as in plan.expert=32; repeatable")
            ->allow_extra_args(false)
            ->type_name("KEY=VALUE");
    }
    command
        .add_option("--catalog", common.catalog_directories,
                    "Also read parts and fabrics from this directory")
        ->allow_extra_args(false)
        ->type_name("DIR");
    command.add_option("--progress", common.progress, "Progress on stderr: auto, json or none")
        ->transform(CLI::CheckedTransformer(kProgressStyles).description(""))
        ->type_name("STYLE");
}

void add_json(CLI::App& command, cli::Common& common) {
    command
        .add_option("--json", common.json, "Write the result as JSON; - is stdout, and then nothing else is")
        ->type_name("FILE");
}

void add_charts(CLI::App& command, cli::ChartFiles& files) {
    command.add_option("--svg", files.svg, "Draw the result as SVG; - is stdout")->type_name("FILE");
    command.add_option("--png", files.png, "Draw the result as PNG; - is stdout")->type_name("FILE");
    command.add_option("--chart", files.description, "Write the chart's description as JSON; - is stdout")
        ->type_name("FILE");
}

void add_schedule_options(CLI::App& command, cli::ScheduleOptions& options) {
    command
        .add_option("NAME", options.name, "As `chokepoint list schedules` prints it, or a PyTorch CSV file")
        ->required()
        ->type_name("");
    command.add_option("--pp", options.ranks, "Pipeline ranks")->type_name("COUNT");
    command.add_option("--micro-batches", options.micro_batches, "Micro-batches of one step")
        ->type_name("COUNT");
    command.add_option("--virtual", options.virtual_stages, "Stages of each rank, for interleaved-1f1b")
        ->type_name("COUNT");
    command.add_option("--group", options.group, "Micro-batches in a row on one stage, for interleaved-1f1b")
        ->type_name("COUNT");
    command
        .add_option("--times", options.times,
                    "Times of a stage's forward, input gradient and weight gradient, as in 1,1.2,0.8; 1 each")
        ->delimiter(',')
        ->type_name("F,I,W");
    command.add_option("--csv", options.csv, "Write the order as PyTorch's pipelining CSV; - is stdout")
        ->type_name("FILE");
    add_charts(command, options.charts);
}

void add_fold(CLI::App& command, cli::Common& common) {
    command
        .add_option(
            "--fold", common.fold,
            "GPUs to simulate: auto (one of each kind), none (every GPU) or stage (one per pipeline rank)")
        ->transform(CLI::CheckedTransformer(kFolds).description(""))
        ->type_name("MODE");
}

CLI::App* add_scenario_command(CLI::App& app, const char* name, const char* summary, Arguments& arguments) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->add_option("SCENARIO", arguments.scenario, "Scenario file (TOML)")->required()->type_name("");
    add_common(*command, arguments.common, true);
    return command;
}

void add_collective_options(CLI::App& command, cli::CollectiveOptions& options) {
    command.add_option("--gpu", options.gpu, "Part, as `chokepoint list gpus` prints it")
        ->required()
        ->type_name("PART");
    command
        .add_option(
            "--op", options.op,
            "all_reduce, all_gather, reduce_scatter, broadcast, alltoall, sendrecv; dispatch or combine")
        ->capture_default_str()
        ->type_name("OPERATION");
    command.add_option("--gpus", options.gpus, "GPUs of the group; without it all of the nodes'")
        ->check(CLI::Range(2, 1 << 20))
        ->type_name("N");
    command.add_option("--nodes", options.nodes, "Nodes that they lie on; without it as few as hold them")
        ->check(CLI::Range(1, 1 << 20))
        ->type_name("N");
    command
        .add_option("--bytes", options.bytes, "Size as nccl-tests counts it: an all-gather's whole output")
        ->capture_default_str()
        ->type_name("SIZE");
    command.add_option("--from", options.from, "Instead of one size, every size from this…")
        ->type_name("SIZE");
    command.add_option("--to", options.to, "…to this…")->type_name("SIZE");
    command.add_option("--factor", options.factor, "…times this")->capture_default_str()->type_name("NUMBER");
    command
        .add_option("--cap", options.caps,
                    "A cap on the part, as in nvlink=200GB/s; repeatable: nvlink, nic, "
                    "memory_bandwidth, tpp")
        ->allow_extra_args(false)
        ->type_name("KEY=RATE");
    command.add_option("--transfers", options.transfers, "Rates that `chokepoint import` wrote")
        ->type_name("FILE");
    constexpr auto kMoe = "dispatch and combine";
    const auto count = CLI::Range(1, 1 << 24);
    command.add_option("--tokens", options.tokens, "Tokens of one GPU")
        ->check(count)
        ->group(kMoe)
        ->capture_default_str()
        ->type_name("N");
    command.add_option("--hidden", options.hidden, "Values of a token")
        ->check(count)
        ->group(kMoe)
        ->capture_default_str()
        ->type_name("N");
    command.add_option("--top-k", options.top_k, "Experts of a token")
        ->check(count)
        ->group(kMoe)
        ->capture_default_str()
        ->type_name("N");
    command.add_option("--experts", options.experts, "Experts of the layer")
        ->check(count)
        ->group(kMoe)
        ->capture_default_str()
        ->type_name("N");
    command.add_option("--max-nodes", options.max_nodes, "Most nodes that a token is sent to")
        ->check(count)
        ->group(kMoe)
        ->capture_default_str()
        ->type_name("N");
    command.add_option("--dtype", options.dtype, "fp8 or bf16; without it FP8 dispatch and BF16 combine")
        ->group(kMoe)
        ->type_name("FORMAT");
}

void add_import_options(CLI::App& command, cli::ImportOptions& options) {
    command.add_option("FILE", options.file, "nccl-tests' output, of one or several programs")
        ->required()
        ->type_name("");
    command.add_option("--gpu", options.gpu, "Part; without it by the device that the file names")
        ->type_name("PART");
    command.add_option("--op", options.op, "Operation, where the file does not say it")
        ->type_name("OPERATION");
    command.add_option("--cap", options.caps, "A cap on the part, as in nvlink=400GB/s; repeatable")
        ->allow_extra_args(false)
        ->type_name("KEY=RATE");
    command.add_option("--out", options.out, "Rates file to write; without it stdout")->type_name("FILE");
}

} // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    const cli::Common& common = arguments.common;
    CLI::App app{"What does a hardware restriction do to the cost of training a model?"};
    app.set_version_flag("--version", fmt::format("chokepoint {} ({})", hw::version(), hw::commit()));
    app.require_subcommand(1);
    app.footer(
        "Example:\n  chokepoint compare scenarios/deepseek-v3-h800.toml scenarios/deepseek-v3-h100.toml");

    std::function<int()> selected;
    CLI::App* run =
        add_scenario_command(app, "run", "Simulate one step and print its cost report", arguments);
    add_fold(*run, arguments.common);
    add_json(*run, arguments.common);
    run->footer(
        "Example:\n  chokepoint run scenarios/deepseek-v3-h800.toml --set 'cluster.caps.nic=200 Gb/s'");
    run->callback([&] { selected = [&] { return cli::run_command(arguments.scenario, common); }; });

    CLI::App* check = add_scenario_command(
        app, "check", "Validate a scenario and print every value with its origin", arguments);
    add_json(*check, arguments.common);
    check->footer("Example:\n  chokepoint check scenarios/deepseek-v3-h800.toml");
    check->callback([&] { selected = [&] { return cli::check_command(arguments.scenario, common); }; });

    CLI::App* compare =
        app.add_subcommand("compare", "Run two scenarios and print their differences, largest first");
    compare->add_option("A", arguments.scenario, "Scenario file")->required()->type_name("");
    compare->add_option("B", arguments.other_scenario, "Scenario file")->required()->type_name("");
    add_common(*compare, arguments.common, true);
    add_fold(*compare, arguments.common);
    add_json(*compare, arguments.common);
    compare->footer(
        "Example:\n  chokepoint compare scenarios/deepseek-v3-h800.toml scenarios/deepseek-v3-h100.toml");
    compare->callback([&] {
        selected = [&] { return cli::compare_command(arguments.scenario, arguments.other_scenario, common); };
    });

    CLI::App* trace =
        add_scenario_command(app, "trace", "Write the step's timeline for ui.perfetto.dev", arguments);
    trace->add_option("-o,--output", arguments.trace_output, "Trace file; - is stdout")
        ->capture_default_str();
    add_fold(*trace, arguments.common);
    trace->add_option("--ranks", arguments.ranks, "Only these pipeline ranks, as in 0,7,15")->delimiter(',');
    trace->footer("Example:\n  chokepoint trace scenarios/deepseek-v3-h800.toml --ranks 0,7 -o v3.json");
    trace->callback([&] {
        selected = [&] {
            return cli::trace_command(arguments.scenario, arguments.trace_output, arguments.ranks, common);
        };
    });

    CLI::App* rules = app.add_subcommand(
        "rules", "Print what each export rule says of each part, or design a part for one");
    rules
        ->add_option("PART", arguments.rules.parts,
                     "Parts, as `chokepoint list gpus` prints them; all if none")
        ->type_name("");
    rules->add_option("--on", arguments.rules.on, "Only rules in force on this day")
        ->check(
            [](const std::string& day) { return is_date(day) ? "" : "expected a date such as 2023-11-17"; })
        ->type_name("DATE");
    rules->add_option("--design", arguments.rules.design, "Print every minimal set of caps for this part…")
        ->type_name("PART");
    rules->add_option("--under", arguments.rules.under, "…that this rule admits")->type_name("RULE");
    add_common(*rules, arguments.common, false);
    add_json(*rules, arguments.common);
    rules->footer("Example:\n  chokepoint rules --design h100-sxm --under us-2022-10");
    rules->callback([&] { selected = [&] { return cli::rules_command(arguments.rules, common); }; });

    CLI::App* schedule =
        app.add_subcommand("schedule", "Print, draw or write the order of a pipeline schedule");
    add_schedule_options(*schedule, arguments.schedule);
    add_common(*schedule, arguments.common, false);
    add_json(*schedule, arguments.common);
    schedule->footer("Example:\n  chokepoint schedule dualpipe --pp 8 --micro-batches 20 --svg dualpipe.svg");
    schedule->callback([&] { selected = [&] { return cli::schedule_command(arguments.schedule, common); }; });

    CLI::App* collective = app.add_subcommand(
        "collective", "Print what a collective takes, in nccl-tests' format, beside what was measured");
    add_collective_options(*collective, arguments.collective);
    add_common(*collective, arguments.common, false);
    add_json(*collective, arguments.common);
    collective->footer(
        "Example:\n  chokepoint collective --gpu h100-sxm --op all_reduce --gpus 8 --bytes 512MiB");
    collective->callback(
        [&] { selected = [&] { return cli::collective_command(arguments.collective, common); }; });

    CLI::App* import =
        app.add_subcommand("import", "Turn measurements of your own into files that a scenario names");
    import->require_subcommand(1);
    CLI::App* nccl_tests = import->add_subcommand(
        "nccl-tests", "Fit transfer rates to nccl-tests' output; a scenario names them as cluster.transfers");
    add_import_options(*nccl_tests, arguments.import);
    add_common(*nccl_tests, arguments.common, false);
    add_json(*nccl_tests, arguments.common);
    nccl_tests->footer("Example:\n  chokepoint import nccl-tests all_reduce.txt --out my-cluster.toml");
    nccl_tests->callback(
        [&] { selected = [&] { return cli::import_nccl_tests_command(arguments.import, common); }; });

    CLI::App* validate = app.add_subcommand(
        "validate", "Predict published training runs and print how far off the predictions are");
    validate
        ->add_option(
            "--filter", arguments.validate.filters,
            "Only runs whose FIELD contains TEXT: id, gpu, model, stack, source, score, bound or a scenario "
            "key; repeatable, all must match")
        ->allow_extra_args(false)
        ->type_name("FIELD=TEXT");
    validate->add_flag("--summary", arguments.validate.summary, "Print scores without the single runs");
    validate->add_option("--scenario", arguments.validate.scenario, "Print this run's scenario file instead")
        ->type_name("ID");
    validate
        ->add_option("--runs", arguments.validate.runs,
                     "A table of your own runs instead of the published ones")
        ->type_name("FILE");
    validate->add_option("--csv", arguments.validate.csv, "Write one line per run; - is stdout")
        ->type_name("FILE");
    validate
        ->add_option("--jobs", arguments.validate.jobs,
                     "Processes at a time; as many as there are cores if not given")
        ->check(CLI::Range(1, 1024))
        ->type_name("N");
    add_charts(*validate, arguments.validate.charts);
    add_common(*validate, arguments.common, false);
    add_json(*validate, arguments.common);
    validate->footer("Example:\n  chokepoint validate --filter gpu=h100-sxm --summary --svg h100.svg");
    validate->callback([&] { selected = [&] { return cli::validate_command(arguments.validate, common); }; });
    CLI::App* calibrate = app.add_subcommand(
        "calibrate", "Fit cost curves to kernel measurements and print how far they are off");
    calibrate
        ->add_option("FILE", arguments.calibrate.files,
                     "Measurement files (JSON), of kref or published; classes they lack stay as shipped")
        ->required()
        ->type_name("");
    calibrate->add_flag("--holdout", arguments.calibrate.holdout,
                        "Also print errors of the rows kept from the fit");
    calibrate->add_option("-o,--output", arguments.calibrate.output, "Write the fits into this directory")
        ->type_name("DIR");
    add_common(*calibrate, arguments.common, false);
    add_json(*calibrate, arguments.common);
    calibrate->footer("Example:\n  chokepoint calibrate hwmodels/measurements/published/*.json --holdout");
    calibrate->callback(
        [&] { selected = [&] { return cli::calibrate_command(arguments.calibrate, common); }; });

    CLI::App* list = app.add_subcommand(
        "list", "List gpus, nodes, fabrics, links, models, schedules and what costs rest on");
    list->add_option("KIND", arguments.kind,
                     "gpus, nodes, fabrics, links, models, schedules, costs, premiums, grids or failures")
        ->required()
        ->type_name("");
    add_common(*list, arguments.common, false);
    add_json(*list, arguments.common);
    list->footer("Example:\n  chokepoint list gpus");
    list->callback([&] { selected = [&] { return cli::list_command(arguments.kind, common); }; });

    CLI::App* show =
        app.add_subcommand("show", "Print one gpu, node, fabric, link or model with its sources");
    show->add_option("KIND", arguments.kind, "gpu, node, fabric, link or model")->required()->type_name("");
    show->add_option("NAME", arguments.id,
                     "As `chokepoint list` prints it; for a model also the path of a HuggingFace config.json")
        ->required()
        ->type_name("");
    show->add_option("--sequence", arguments.show.sequence,
                     "Tokens of a sequence, for a model's FLOPs per token")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{16'777'216}))
        ->capture_default_str()
        ->type_name("TOKENS");
    show->add_option("--gpus", arguments.show.plugged.gpus,
                     "Join so many GPUs by a fabric: switches, bisection, tiers")
        ->check(CLI::Range(1, 1 << 24))
        ->type_name("N");
    show->add_option("--node", arguments.show.plugged.node, "Nodes that these GPUs come in")
        ->capture_default_str()
        ->type_name("NODE");
    add_common(*show, arguments.common, false);
    add_json(*show, arguments.common);
    show->footer("Example:\n  chokepoint show fabric multi-plane --gpus 2048");
    show->callback([&] {
        selected = [&] { return cli::show_command(arguments.kind, arguments.id, arguments.show, common); };
    });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? cli::kFine : cli::kWrongInput;
    }
    return guarded(selected);
}
