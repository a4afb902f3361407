// SPDX-License-Identifier: Apache-2.0
// Arguments of collective.
#include "arguments.hpp"

#include "../collective_command.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <span>
#include <string>

namespace chokepoint::cli {

namespace {

void add_collective_options(CLI::App& command, CollectiveOptions& options) {
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
    add_caps(command, options.caps);
    command
        .add_option("--fabric", options.fabric, "Between the nodes, as `chokepoint list fabrics` prints it")
        ->capture_default_str()
        ->type_name("FABRIC");
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

/// Sizes are of NCCL's operations, tokens of DeepEP's.
void refuse_idle_options(const CLI::App& command, const std::string& op) {
    const bool moe = op == "dispatch" || op == "combine";
    constexpr std::array kSizes{"--bytes", "--from", "--to", "--factor"};
    constexpr std::array kTokens{"--tokens", "--hidden", "--top-k", "--experts", "--max-nodes", "--dtype"};
    for (const char* option :
         moe ? std::span<const char* const>(kSizes) : std::span<const char* const>(kTokens)) {
        if (command.count(option) > 0) {
            throw CLI::ValidationError(
                option, fmt::format("is nothing to {}; expected {}", op,
                                    moe ? "--tokens, --hidden, --top-k, --experts, --max-nodes or --dtype"
                                        : "--bytes, or --from and --to"));
        }
    }
}

struct CollectiveArguments {
    Common common;
    CollectiveOptions collective;
};

} // namespace

void add_collective_command(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<CollectiveArguments>();
    CLI::App* collective = app.add_subcommand(
        "collective", "Print what a collective takes, in nccl-tests' format, beside what was measured");
    add_collective_options(*collective, options->collective);
    add_common(*collective, options->common, false);
    add_json(*collective, options->common);
    collective->footer(
        "Example:\n  chokepoint collective --gpu h100-sxm --op all_reduce --gpus 8 --bytes 512MiB");
    collective->callback([options, collective, &selected] {
        refuse_idle_options(*collective, options->collective.op);
        selected = [options] { return collective_command(options->collective, options->common); };
    });
}

} // namespace chokepoint::cli
