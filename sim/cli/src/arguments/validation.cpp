// SPDX-License-Identifier: Apache-2.0
// Arguments of the commands that hold predictions beside measurements: validate, calibrate.
#include "arguments.hpp"

#include <memory>

namespace chokepoint::cli {

namespace {

struct ValidationArguments {
    Common common;
    ValidateOptions validate;
    CalibrateOptions calibrate;
};

} // namespace

void add_validation_commands(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<ValidationArguments>();
    CLI::App* validate = app.add_subcommand(
        "validate", "Predict published training runs and print how far off the predictions are");
    validate
        ->add_option(
            "--filter", options->validate.filters,
            "Only runs whose FIELD contains TEXT: id, gpu, model, stack, source, score, bound or a scenario "
            "key; repeatable, all must match")
        ->allow_extra_args(false)
        ->type_name("FIELD=TEXT");
    validate
        ->add_option("--without", options->validate.without,
                     "Empty this scenario key in every run: what predictions are worth to those who do not "
                     "know it; repeatable")
        ->allow_extra_args(false)
        ->type_name("KEY");
    validate->add_flag("--summary", options->validate.summary, "Print scores without the single runs");
    validate->add_option("--scenario", options->validate.scenario, "Print this run's scenario file instead")
        ->type_name("ID");
    CLI::Option* runs = validate
                            ->add_option("--runs", options->validate.runs,
                                         "A table of your own runs instead of the published ones")
                            ->type_name("FILE");
    CLI::Option* campaigns =
        validate
            ->add_flag("--campaigns", options->validate.campaigns,
                       "Whole trainings instead of single steps: GPU-hours, days and dollars beside the "
                       "published ones")
            ->excludes(runs);
    validate
        ->add_flag("--overhead", options->validate.overhead,
                   "Also the plan.framework_overhead that each software's runs ask for, and the medians by "
                   "architecture; simulates them twice more")
        ->excludes(campaigns);
    validate->add_option("--csv", options->validate.csv, "Write one line per run; - is stdout")
        ->type_name("FILE");
    validate
        ->add_option("--jobs", options->validate.jobs,
                     "Processes at a time; as many as there are cores if not given")
        ->check(CLI::Range(1, 1024))
        ->type_name("N");
    add_charts(*validate, options->validate.charts);
    add_common(*validate, options->common, false);
    add_json(*validate, options->common);
    validate->footer("Example:\n  chokepoint validate --filter gpu=h100-sxm --summary --svg h100.svg");
    validate->callback([options, &selected] {
        selected = [options] { return validate_command(options->validate, options->common); };
    });
    CLI::App* calibrate = app.add_subcommand(
        "calibrate", "Fit cost curves to kernel measurements and print how far they are off");
    calibrate
        ->add_option("FILE", options->calibrate.files,
                     "Measurement files (JSON), of kref or published; classes they lack stay as shipped")
        ->required()
        ->type_name("");
    calibrate->add_flag("--holdout", options->calibrate.holdout,
                        "Also print errors of the rows kept from the fit");
    calibrate->add_flag("--points", options->calibrate.points,
                        "Also put every row's arithmetic, traffic and times into the JSON");
    calibrate->add_flag(
        "--rows", options->calibrate.rows,
        "Also print every row, measured and predicted: training kernels and memory-bound ones too");
    calibrate->add_option("--part", options->calibrate.part, "Print and draw errors on this part alone")
        ->type_name("PART");
    calibrate->add_option("-o,--output", options->calibrate.output, "Write the fits into this directory")
        ->type_name("DIR");
    add_charts(*calibrate, options->calibrate.charts);
    add_common(*calibrate, options->common, false);
    add_json(*calibrate, options->common);
    calibrate->footer("Examples:\n"
                      "  chokepoint calibrate hwmodels/measurements/published/*.json --holdout\n"
                      "  chokepoint calibrate my-h100.json -o my-fits --svg my-h100.svg\n"
                      "The fits are used by a scenario whose [cluster] says fits = \"my-fits\".");
    calibrate->callback([options, &selected] {
        selected = [options] { return calibrate_command(options->calibrate, options->common); };
    });
}

} // namespace chokepoint::cli
