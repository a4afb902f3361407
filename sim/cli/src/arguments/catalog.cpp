// SPDX-License-Identifier: Apache-2.0
// Arguments of the commands that look into the catalog: list, show.
#include "arguments.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace chokepoint::cli {

namespace {

struct CatalogArguments {
    Common common;
    std::string kind, id;
    ShowOptions show;
};

} // namespace

void add_catalog_commands(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<CatalogArguments>();
    CLI::App* list = app.add_subcommand(
        "list", "List gpus, nodes, fabrics, links, models, schedules, software and what costs rest on");
    list->add_option(
            "KIND", options->kind,
            "gpus, nodes, fabrics, links, models, schedules, software, costs, premiums, grids, networks or "
            "failures")
        ->required()
        ->type_name("");
    add_common(*list, options->common, false);
    add_json(*list, options->common);
    list->footer("Example:\n  chokepoint list gpus");
    list->callback([options, &selected] {
        selected = [options] { return list_command(options->kind, options->common); };
    });

    CLI::App* show =
        app.add_subcommand("show", "Print one gpu, node, fabric, link, model or software with its sources");
    show->add_option("KIND", options->kind, "gpu, node, fabric, link, model or software")
        ->required()
        ->type_name("");
    show->add_option("NAME", options->id,
                     "As `chokepoint list` prints it; for a model also the path of a HuggingFace config.json")
        ->required()
        ->type_name("");
    show->add_option("--sequence", options->show.sequence,
                     "Tokens of a sequence, for a model's FLOPs per token")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{16'777'216}))
        ->capture_default_str()
        ->type_name("TOKENS");
    show->add_option("--fits", options->show.fits,
                     "Your own kernel curves, as `chokepoint calibrate -o` wrote them, for a part's kernels")
        ->type_name("DIR");
    show->add_option("--gpus", options->show.plugged.gpus,
                     "Join so many GPUs by a fabric: switches, bisection, tiers")
        ->check(CLI::Range(1, 1 << 24))
        ->type_name("N");
    show->add_option("--node", options->show.plugged.node, "Nodes that these GPUs come in")
        ->capture_default_str()
        ->type_name("NODE");
    add_common(*show, options->common, false);
    add_json(*show, options->common);
    show->footer("Example:\n  chokepoint show fabric multi-plane --gpus 2048");
    show->callback([options, &selected] {
        selected = [options] {
            return show_command(options->kind, options->id, options->show, options->common);
        };
    });
}

} // namespace chokepoint::cli
