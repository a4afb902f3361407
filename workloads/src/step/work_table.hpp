// SPDX-License-Identifier: Apache-2.0
// Every distinct piece of work of a step, once: tasks refer to it by index, so a cost is computed once per
// shape.
#pragma once

#include <chokepoint/workloads/task_graph.hpp>

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace chokepoint::work {

/// The pieces of a block's compute, in the order of BlockKernels.
enum class Part {
    attention_forward,
    ffn_forward,
    ffn_forward_again,
    ffn_backward,
    ffn_weight_gradient,
    attention_backward,
    attention_weight_gradient,
    input_norm_backward,
    gradient_payload,
};

/// Index into StepGraph::computes or ::transfers.
using WorkIndex = std::int32_t;
constexpr WorkIndex kNoWork = -1;
/// Compute that follows the router, one inner list for each of its draws.
using Draws = std::vector<std::vector<WorkIndex>>;

/// A part as tasks: runs of kernels between the places where transfers start or must be done.
struct PartWorks {
    struct Transfer {
        WorkIndex work = kNoWork;
        Stream stream = Stream::tensor_comm;
        std::size_t after = 0; ///< runs in front of it
        std::size_t until = 0; ///< runs that need not wait for it; kOutput: none waits
    };
    static constexpr std::size_t kOutput = InnerTransfer::kOutput;
    std::vector<WorkIndex> runs;
    std::vector<Transfer> transfers;
    [[nodiscard]] bool empty() const { return runs.empty() && transfers.empty(); }
};

class WorkTable {
public:
    WorkTable(const ModelArch&, const ParallelPlan&, const RankLayout&);

    [[nodiscard]] bool routed(const Block&);
    /// The block's part as it runs beside `occupancy`; empty if the block lacks the part.
    const PartWorks& part(const Block&, Part, hw::Occupancy);
    /// Dispatch or combine of a routed block. `uneven` as in TransferWork.
    WorkIndex expert_transfer(TransferKind, std::string_view name, bool beside_compute, const Draws& uneven);

    /// What goes between a GPU and its host, or happens there.
    WorkIndex host_transfer(TransferKind, std::string_view name, hw::Bytes);
    /// What each of a stage's layers keeps of a micro-batch.
    [[nodiscard]] std::vector<hw::Bytes> kept(const std::vector<Block>& layers) const {
        return kept_activations(model_, plan_, layers);
    }
    /// Of the embedding's table, or of a head tied to it, what one tensor-parallel GPU holds.
    [[nodiscard]] std::int64_t embedding_parameters() const {
        return std::int64_t{model_.vocabulary} * model_.hidden / plan_.tensor;
    }
    [[nodiscard]] bool tied_embeddings() const { return model_.tied_embeddings; }

    /// The index of an equal work, entered if there is none.
    WorkIndex intern(ComputeWork);
    WorkIndex intern(TransferWork);

    std::vector<ComputeWork> take_computes() { return std::move(computes_); }
    std::vector<TransferWork> take_transfers() { return std::move(transfers_); }

private:
    using Family = std::size_t; ///< blocks with equal kernels
    Family family(const Block&);
    PartWorks make_part(const Block&, Part, hw::Occupancy);
    WorkIndex inner_transfer(const InnerTransfer&, char phase);

    const ModelArch& model_;
    const ParallelPlan& plan_;
    RankLayout layout_;
    std::vector<std::pair<BlockKind, BlockKernels>> families_;
    std::map<std::pair<BlockKind, int>, Family> family_of_;
    std::map<std::tuple<Family, Part, int, bool>, PartWorks> parts_;
    std::vector<ComputeWork> computes_;
    std::vector<TransferWork> transfers_;
};

} // namespace chokepoint::work
