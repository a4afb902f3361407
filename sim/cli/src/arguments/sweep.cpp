// SPDX-License-Identifier: Apache-2.0
// Arguments of the commands around sweeps: sweep, results.
#include "../sweep_commands.hpp"
#include "arguments.hpp"

#include <memory>

namespace chokepoint::cli {

namespace {

struct SweepArguments {
    Common common;
    SweepCommandOptions sweep;
    ResultsOptions results;
    PlotOptions plot;
    OptimizeCommandOptions optimize;
};

void add_sweep(CLI::App& app, Selected& selected, const std::shared_ptr<SweepArguments>& options) {
    SweepCommandOptions& o = options->sweep;
    CLI::App* sweep = app.add_subcommand("sweep", "Run every combination of some keys' values, in parallel "
                                                  "processes, into a result store; under mpirun "
                                                  "or srun, on many machines");
    sweep
        ->add_option("SCENARIO", o.scenario,
                     "Scenario file (TOML), with its own [sweep] or --axis; not needed with --resume")
        ->type_name("");
    sweep
        ->add_option(
            "--axis", o.axes,
            "KEY=a,b,c or KEY=from:to:count or KEY=log:from:to:count; repeatable. 'A=1,2; B=3,4' changes "
            "two keys together. An axis replaces the scenario's own of the same keys")
        ->allow_extra_args(false)
        ->type_name("AXIS");
    sweep->add_option("--store", o.store, "Result store (SQLite) to write; made if it is not there")
        ->required()
        ->type_name("FILE");
    sweep->add_flag("--resume", o.resume, "Go on with the store's last sweep, or with SCENARIO's");
    sweep->add_flag("--retry", o.retry, "Run failed points again");
    sweep->add_option("--jobs", o.jobs, "Processes at a time; as many as there are cores if not given")
        ->check(CLI::Range(1, 1024))
        ->type_name("N");
    sweep->add_option("--time-out", o.time_out, "Give a point up after this long, as in '60 s'")
        ->type_name("TIME");
    sweep->add_option("--memory", o.memory, "Give a point up that needs more, as in '4 GB'")
        ->type_name("SIZE");
    sweep->add_option("--max-points", o.max_points, "Allow so many points; 100,000 if not given")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
        ->type_name("N");
    add_common(*sweep, options->common, true);
    add_json(*sweep, options->common);
    sweep->footer("Example:\n  chokepoint sweep scenarios/deepseek-v3-h800.toml --axis "
                  "'cluster.caps.nvlink=log:50 GB/s:400 GB/s:13' --store nvlink.db");
    sweep->callback([options, &selected] {
        selected = [options] { return sweep_command(options->sweep, options->common); };
    });
}

void add_results(CLI::App& app, Selected& selected, const std::shared_ptr<SweepArguments>& options) {
    ResultsOptions& o = options->results;
    CLI::App* results = app.add_subcommand("results", "List, filter and export the points of a result store");
    results->add_option("STORE", o.store, "Result store that `chokepoint sweep` wrote")
        ->required()
        ->type_name("");
    results->add_flag("--sweeps", o.sweeps, "List the sweeps of the store instead of points");
    results->add_option("--sweep", o.sweep, "Points of this sweep; the last one's if not given")
        ->type_name("ID");
    results
        ->add_option("--where", o.where,
                     "Only points for which this holds, as in 'step_seconds<20', 'plan.expert=32', "
                     "'cluster.caps.nvlink>=200 GB/s' or 'status=infeasible'; repeatable, all must hold")
        ->allow_extra_args(false)
        ->type_name("CONDITION");
    results->add_option("--sort", o.sort, "Order by this field; with - before it, the largest first")
        ->type_name("FIELD");
    results->add_option("--limit", o.limit, "At most so many points")
        ->check(CLI::Range(1, 1 << 30))
        ->type_name("N");
    results->add_option("--point", o.point, "Print everything that is known of this point, as JSON")
        ->type_name("N");
    results->add_option("--csv", o.csv, "Write one line per point; - is stdout")->type_name("FILE");
    add_common(*results, options->common, false);
    add_json(*results, options->common);
    results->footer(
        "Example:\n  chokepoint results nvlink.db --where 'step_seconds<20' --sort usd --csv cheap.csv");
    results->callback([options, &selected] {
        selected = [options] { return results_command(options->results, options->common); };
    });
}

void add_plot(CLI::App& app, Selected& selected, const std::shared_ptr<SweepArguments>& options) {
    PlotOptions& o = options->plot;
    CLI::App* plot =
        app.add_subcommand("plot", "Draw the points of a result store: cost curves, heat maps, fronts");
    plot->add_option("STORE", o.store, "Result store that `chokepoint sweep` wrote")
        ->required()
        ->type_name("");
    plot->add_option("--kind", o.kind, "line, heat-map, or front: the least memory for every step time")
        ->check(CLI::IsMember({"line", "heat-map", "front"}))
        ->capture_default_str()
        ->type_name("KIND");
    plot->add_option("--x", o.x, "Axis to draw along; the longest if not given")->type_name("KEY");
    plot->add_option("--y", o.y,
                     "Figure to draw: step_seconds, gpu_hours, usd, mfu, …; of a heat map, its second axis")
        ->type_name("FIELD");
    plot->add_option("--series", o.series, "Axis with a line each; of a heat map, the figure in its cells")
        ->type_name("KEY");
    plot->add_option("--best-of", o.best_of, "Take the best position of this axis at every place")
        ->type_name("KEY");
    plot->add_option("--where", o.where, "Only points for which this holds, as of `results`; repeatable")
        ->allow_extra_args(false)
        ->type_name("CONDITION");
    plot->add_option("--mark", o.marks,
                     "A line across the chart at this x, as in '600=the rule of 2022'; repeatable")
        ->allow_extra_args(false)
        ->type_name("X=TEXT");
    plot->add_option("--knee", o.knee, "Rise over a line's least value that its knee has; 0: draw none")
        ->check(CLI::Range(0.0, 100.0))
        ->capture_default_str()
        ->type_name("SHARE");
    plot->add_option("--title", o.title, "Title; the scenario's if not given")->type_name("TEXT");
    plot->add_flag("--linear-x", o.linear_x,
                   "A linear axis of x; else logarithmic where all values are above zero");
    plot->add_flag("--linear-y", o.linear_y,
                   "A linear axis of y; else logarithmic where values differ tenfold");
    plot->add_option("--sweep", o.sweep, "Points of this sweep; the last one's if not given")
        ->type_name("ID");
    add_charts(*plot, o.charts);
    add_common(*plot, options->common, false);
    add_json(*plot, options->common);
    plot->footer("Example:\n  chokepoint plot nvlink.db --x cluster.caps.nvlink --y usd --svg nvlink.svg");
    plot->callback([options, &selected] {
        selected = [options] { return plot_command(options->plot, options->common); };
    });
}

void add_optimize(CLI::App& app, Selected& selected, const std::shared_ptr<SweepArguments>& options) {
    OptimizeCommandOptions& o = options->optimize;
    CLI::App* optimize = app.add_subcommand(
        "optimize", "Find the best plan of a cluster and a model, with proof that no other is better");
    optimize->add_option("SCENARIO", o.scenario, "Scenario file (TOML)")->required()->type_name("");
    optimize
        ->add_option(
            "--vary", o.vary,
            "Keys to vary, as in plan.tensor,plan.pipeline,plan.schedule, each over the values that the "
            "cluster leaves room for; or one key and its values, as in plan.expert=16,32,64; repeatable")
        ->required()
        ->allow_extra_args(false)
        ->type_name("KEYS");
    optimize->add_option("--objective", o.objective, "What is least in the best plan: step, gpu_hours or usd")
        ->check(CLI::IsMember({"step", "gpu_hours", "usd"}))
        ->capture_default_str()
        ->type_name("FIGURE");
    optimize
        ->add_option("--max-memory", o.max_memory, "Leave out plans that need more on a GPU, as in '70 GB'")
        ->type_name("SIZE");
    optimize->add_flag("--front", o.front, "Go on until the whole front of time against memory is known");
    optimize->add_option("--jobs", o.jobs, "Processes at a time; as many as there are cores if not given")
        ->check(CLI::Range(1, 1024))
        ->type_name("N");
    optimize->add_option("--max-points", o.max_points, "Allow so many plans; 100,000 if not given")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
        ->type_name("N");
    add_common(*optimize, options->common, true);
    add_json(*optimize, options->common);
    optimize->footer("Example:\n  chokepoint optimize scenarios/deepseek-v3-h800.toml --vary "
                     "plan.pipeline,plan.expert,plan.schedule,plan.recompute");
    optimize->callback([options, &selected] {
        selected = [options] { return optimize_command(options->optimize, options->common); };
    });
}

} // namespace

void add_sweep_commands(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<SweepArguments>();
    add_sweep(app, selected, options);
    add_results(app, selected, options);
    add_plot(app, selected, options);
    add_optimize(app, selected, options);
}

} // namespace chokepoint::cli
