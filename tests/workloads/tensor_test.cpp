// SPDX-License-Identifier: Apache-2.0
// Splitting a layer over GPUs must keep its arithmetic and send what the papers say.
#include "block_kernels.hpp"
#include "presets.hpp"
#include "step_fixture.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace chokepoint::work {
namespace {

using test::preset;

const Block kDense{BlockKind::dense_layer, 0};

/// Bytes that one GPU hands to the collectives of a kind within a group, as full vectors.
double bytes_of(const BlockKernels& block, Group group, TransferKind kind) {
    double sum = 0.0;
    for (const KernelSequence* sequence : test::sequences(block)) {
        for (const InnerTransfer& transfer : sequence->transfers) {
            sum += transfer.group == group && transfer.kind == kind ? transfer.bytes.value() : 0.0;
        }
    }
    return sum;
}

ParallelPlan tensor_plan(int tensor, bool sequence_parallel = true) {
    ParallelPlan plan;
    plan.tensor = tensor;
    plan.sequence = 2048;
    plan.sequence_parallel = sequence_parallel;
    return plan;
}

ModelArch random_model() {
    ModelArch model = *rc::gen::element(test::small_dense(3), test::small_moe(3, 1));
    model.gated_ffn = *rc::gen::arbitrary<bool>();
    model.moe.max_nodes = 0;
    if (*rc::gen::arbitrary<bool>()) {
        model.attention = {.kind = AttentionKind::mla,
                           .heads = 16,
                           .q_lora_rank = *rc::gen::element(0, 256),
                           .kv_lora_rank = 128,
                           .qk_nope_dim = 64,
                           .qk_rope_dim = 32,
                           .v_dim = 64};
    } else {
        model.attention.kv_heads = *rc::gen::element(4, 8, 16);
        if (model.moe.experts == 0) {
            model.block = *rc::gen::element(BlockForm::pre_norm, BlockForm::sandwich_norm,
                                            BlockForm::parallel, BlockForm::parallel_two_norms);
        }
    }
    return model;
}

RC_GTEST_PROP(Groups, KeepTheModelsArithmeticTogether, ()) {
    const ModelArch model = random_model();
    ParallelPlan plan;
    plan.tensor = *rc::gen::element(1, 2, 4);
    plan.context = *rc::gen::element(1, 2, 4);
    plan.context_kind = *rc::gen::element(ContextKind::ring, ContextKind::all_gather);
    plan.data = 4;
    plan.sequence = 2048;
    plan.micro_batch = *rc::gen::element(1, 3);
    plan.overlap_tensor = *rc::gen::arbitrary<bool>();
    plan.overlap_input_gradient = *rc::gen::arbitrary<bool>();
    plan.precision =
        *rc::gen::element(Precision::bf16, Precision::fp16, Precision::fp8_block, Precision::fp8_tensor,
                          Precision::fp8_delayed, Precision::mxfp8, Precision::nvfp4);
    plan.recompute.norm = *rc::gen::arbitrary<bool>();
    if (model.moe.experts > 0) {
        plan.expert = *rc::gen::element(1, 4);
        plan.expert_tensor = *rc::gen::element(1, plan.tensor);
    }
    const std::vector<Block> blocks = split_stages(model, plan, 1).front();
    double sum = 0.0;
    for (const Block& block : blocks) {
        sum += test::counted_flops(block_kernels(model, plan, block));
        if (block.kind == BlockKind::head) {
            break; // MTP follows and does not count
        }
    }
    const double expected = training_flops_per_token(model, plan.sequence, true).value() *
                            static_cast<double>(plan.micro_batch_tokens());
    RC_ASSERT(std::abs(sum * plan.tensor * plan.context / expected - 1.0) < 1e-12);
}

TEST(TensorParallelism, SendsFourVectorsOfHiddenStatesForwardAndSixBackward) {
    // arXiv 2205.05198, 4.2.2: two gathers and two scatters in the forward, as many in the backward; the
    // backward gathers both column-parallel inputs again.
    const ModelArch& model = preset("llama-3.1-405b");
    const ParallelPlan plan = tensor_plan(8);
    const double hidden = 2.0 * 2048 * model.hidden;
    const BlockKernels layer = block_kernels(model, plan, kDense);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::all_gather), (2 + 4) * hidden);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::reduce_scatter), (2 + 2) * hidden);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::all_reduce), 0.0);
}

TEST(TensorParallelism, WithoutScatteredSequencesReducesTwiceEachWay) {
    // arXiv 1909.08053, 3: two all-reduces in the forward and two in the backward of a layer.
    const ModelArch& model = preset("llama-3.1-405b");
    const BlockKernels layer = block_kernels(model, tensor_plan(8, false), kDense);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::all_reduce), 4 * 2.0 * 2048 * model.hidden);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::all_gather), 0.0);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::reduce_scatter), 0.0);
}

TEST(TensorParallelism, OfAutogradAloneKeepsWhatItGathered) {
    // PyTorch's DTensor: the backward gathers no input again, and waits for each reduction.
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = tensor_plan(8);
    const double hidden = 2.0 * 2048 * model.hidden;
    const hw::Bytes gathered_again = activation_bytes(model, plan, kDense);
    plan.overlap_input_gradient = false;
    const BlockKernels layer = block_kernels(model, plan, kDense);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::all_gather), (2 + 2) * hidden);
    EXPECT_EQ(bytes_of(layer, Group::tensor, TransferKind::reduce_scatter), (2 + 2) * hidden);
    for (const KernelSequence* sequence : test::sequences(layer)) {
        for (const InnerTransfer& transfer : sequence->transfers) {
            EXPECT_EQ(transfer.until, transfer.after) << transfer.name;
        }
    }
    // Both parts keep all tokens of their input instead of an eighth.
    EXPECT_DOUBLE_EQ((activation_bytes(model, plan, kDense) - gathered_again).value(),
                     2.0 * (1.0 - 1.0 / 8) * hidden);
}

/// Hidden states that a layer's collectives move, as full vectors.
struct Moved {
    double gathered = 0.0, scattered = 0.0, reduced = 0.0;
    friend bool operator==(const Moved&, const Moved&) = default;
};

Moved moved(BlockForm form, bool sequence_parallel) {
    ModelArch model = preset("gpt3-175b");
    model.block = form;
    const BlockKernels layer = block_kernels(model, tensor_plan(8, sequence_parallel), kDense);
    const double hidden = 2.0 * 2048 * model.hidden;
    return {bytes_of(layer, Group::tensor, TransferKind::all_gather) / hidden,
            bytes_of(layer, Group::tensor, TransferKind::reduce_scatter) / hidden,
            bytes_of(layer, Group::tensor, TransferKind::all_reduce) / hidden};
}

TEST(ParallelBlock, GathersAndSumsOnceForBothParts) {
    // One input is gathered, one sum scattered; the backward gathers one gradient and that input again.
    EXPECT_EQ(moved(BlockForm::parallel, true), (Moved{1 + 2, 1 + 1, 0}));
    EXPECT_EQ(moved(BlockForm::parallel, false), (Moved{0, 0, 1 + 1})); // half of Megatron-LM's four
    // With a norm for each part, the inputs are two and the sum is one.
    EXPECT_EQ(moved(BlockForm::parallel_two_norms, true), (Moved{2 + 3, 1 + 2, 0}));
    EXPECT_EQ(moved(BlockForm::parallel_two_norms, false), (Moved{0, 0, 1 + 2}));
    EXPECT_EQ(moved(BlockForm::sandwich_norm, true), moved(BlockForm::pre_norm, true));
}

int norms(const BlockKernels& block, hw::KernelClass kernel) {
    return static_cast<int>(std::ranges::count(test::all_operators(block), kernel, &hw::Operator::kernel));
}

TEST(ParallelBlock, RunsAndCountsItsNorms) {
    ModelArch model = preset("gpt3-175b");
    const ParallelPlan plan = tensor_plan(1);
    const std::int64_t before = count_parameters(model).total;
    const hw::Bytes kept = activation_bytes(model, plan, kDense);
    const double stream = 2.0 * 2048 * model.hidden;
    struct Case {
        BlockForm form;
        int norms;
        double streams; ///< kept more than with norms in front alone
    };
    for (const auto& [form, expected, streams] :
         {Case{BlockForm::pre_norm, 2, 0}, Case{BlockForm::sandwich_norm, 4, 2},
          Case{BlockForm::parallel, 1, -2}, Case{BlockForm::parallel_two_norms, 2, -1}}) {
        model.block = form;
        ASSERT_TRUE(faults(model).empty());
        const BlockKernels block = block_kernels(model, plan, kDense);
        EXPECT_EQ(norms(block, hw::KernelClass::norm_fwd), expected) << name(form);
        EXPECT_EQ(norms(block, hw::KernelClass::norm_bwd), expected) << name(form);
        const std::int64_t more = 2LL * model.hidden * model.layers * (expected - 2); // scale and shift
        EXPECT_EQ(count_parameters(model).total - before, more) << name(form);
        EXPECT_EQ(count_parameters(model).norms_per_layer, 2LL * model.hidden * expected) << name(form);
        EXPECT_DOUBLE_EQ((activation_bytes(model, plan, kDense) - kept).value(), streams * stream)
            << name(form);
    }
}

TEST(ParallelBlock, IsForDenseModelsOfPlainAttention) {
    ModelArch model = preset("mixtral-8x7b");
    model.block = BlockForm::parallel;
    EXPECT_THAT(faults(model), testing::ElementsAre(testing::HasSubstr(
                                   "block is parallel in a model with experts; expected pre-norm")));
}

TEST(TensorParallelism, OverlappedSendsAsMuchAndComputesAsMuch) {
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = tensor_plan(4);
    const BlockKernels apart = block_kernels(model, plan, kDense);
    plan.overlap_tensor = true;
    const BlockKernels beside = block_kernels(model, plan, kDense);
    EXPECT_DOUBLE_EQ(test::counted_flops(beside), test::counted_flops(apart));
    for (const TransferKind kind : {TransferKind::all_gather, TransferKind::reduce_scatter}) {
        EXPECT_EQ(bytes_of(beside, Group::tensor, kind), bytes_of(apart, Group::tensor, kind));
    }
    // A ring of four hands the tokens round in four chunks: three products hide the gather. Three of a sum's
    // four splits travel beside products that leave SMs to them, and the last behind all of them.
    const std::vector<InnerTransfer>& transfers = beside.ffn_forward.transfers;
    ASSERT_EQ(transfers.size(), 3U);
    EXPECT_EQ(transfers[0].until, transfers[0].after + 3);
    EXPECT_EQ(transfers[1].until, transfers[1].after + 3);
    EXPECT_EQ(transfers[2].until, transfers[2].after);
    EXPECT_EQ(transfers[1].bytes, 3.0 * transfers[2].bytes);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(beside.ffn_forward.operators[transfers[0].after + i].m, 2048 / 4);
        EXPECT_EQ(beside.ffn_forward.operators[transfers[1].after + i].m, 2048 / 4);
        EXPECT_EQ(beside.ffn_forward.operators[transfers[0].after + i].sms_held, 0);
        EXPECT_EQ(beside.ffn_forward.operators[transfers[1].after + i].sms_held, 16);
    }
}

/// Each layer's matrices over two of eight GPUs.
ParallelPlan tensor_pairs() {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.expert = 1;
    plan.tensor = 2;
    plan.data = 4;
    plan.global_batch = 4;
    return plan;
}

TEST(TensorParallelism, RunsWeightGradientsBesideTheReductionOfTheInputGradient) {
    const ParallelPlan plan = tensor_pairs();
    const TaskGraph graph = build_step(test::small_dense(1), plan, test::make_schedule("1f1b", 1, 1), 8);
    const auto reductions = test::tasks_named(graph, "reduce ffn input gradient(B)");
    const auto weights = test::tasks_named(graph, "mlp(W)");
    const auto attention = test::tasks_named(graph, "attn(B)");
    ASSERT_EQ(reductions.size(), 1U);
    ASSERT_EQ(weights.size(), 1U);
    EXPECT_FALSE(test::reached_from(graph, reductions.front())[weights.front()]);
    EXPECT_TRUE(test::reached_from(graph, reductions.front())[attention.front()]);
    EXPECT_EQ(graph.tasks()[reductions.front()].stream, Stream::tensor_comm);
}

TEST(TensorParallelism, OfAutogradAloneReducesBehindTheWeightGradient) {
    ParallelPlan plan = tensor_pairs();
    plan.overlap_input_gradient = false;
    const TaskGraph graph = build_step(test::small_dense(1), plan, test::make_schedule("1f1b", 1, 1), 8);
    const auto reductions = test::tasks_named(graph, "reduce ffn input gradient(B)");
    const auto weights = test::tasks_named(graph, "mlp(W)");
    ASSERT_EQ(reductions.size(), 1U);
    ASSERT_EQ(weights.size(), 1U);
    // Nothing runs beside the reduction, so that which of the two comes first does not matter.
    EXPECT_TRUE(test::reached_from(graph, reductions.front())[weights.front()]);
}

TEST(TensorParallelism, AcrossNodesSaysHowManyOfAGroupShareANode) {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.expert = 1;
    plan.tensor = 16;
    plan.data = 1;
    plan.global_batch = 1;
    ModelArch model = test::small_dense(1);
    model.vocabulary = 32000;
    const TaskGraph graph = build_step(model, plan, test::make_schedule("1f1b", 1, 1), 8);
    for (const TransferWork& transfer : graph.transfers()) {
        if (transfer.group == Group::tensor) {
            EXPECT_EQ(transfer.ranks, 16);
            EXPECT_EQ(transfer.ranks_per_node, 8);
        }
    }
}

TEST(ContextParallelism, SendsKeysAndValuesRoundTheRing) {
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = tensor_plan(1);
    plan.context = 4;
    const double key_value = 2.0 * 2048 / 4 * model.attention.kv_heads * 2 * model.attention.head_dim;
    const BlockKernels layer = block_kernels(model, plan, kDense);
    // Three hops forward; three of both and one of the gradients alone backward.
    EXPECT_EQ(bytes_of(layer, Group::context, TransferKind::ring_shift), (3 + 3 * 2 + 1) * key_value);
    plan.context_kind = ContextKind::all_gather;
    const BlockKernels gathered = block_kernels(model, plan, kDense);
    EXPECT_EQ(bytes_of(gathered, Group::context, TransferKind::all_gather), 2 * 4 * key_value);
    EXPECT_EQ(bytes_of(gathered, Group::context, TransferKind::reduce_scatter), 4 * key_value);
}

TEST(ContextParallelism, HidesEachHopBehindOneBlockOfAttention) {
    ParallelPlan plan = tensor_plan(1);
    plan.context = 4;
    const BlockKernels layer = block_kernels(preset("llama-3.1-405b"), plan, kDense);
    int hops = 0;
    for (const InnerTransfer& transfer : layer.attention_forward.transfers) {
        ASSERT_EQ(transfer.until, transfer.after + 1);
        EXPECT_EQ(layer.attention_forward.operators[transfer.after].kernel, hw::KernelClass::attention_fwd);
        ++hops;
    }
    EXPECT_EQ(hops, 3);
}

TEST(ContextParallelism, ByHeadsSeesWholeSequences) {
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = tensor_plan(1);
    plan.context = 4;
    plan.context_kind = ContextKind::all_to_all;
    const BlockKernels layer = block_kernels(model, plan, kDense);
    for (const hw::Operator& op : layer.attention_forward) {
        if (op.kernel == hw::KernelClass::attention_fwd) {
            EXPECT_EQ(op.seq_q, 2048);
            EXPECT_EQ(op.heads, model.attention.heads / 4);
        }
    }
    const double query = 2.0 * 2048 / 4 * model.attention.heads * model.attention.head_dim;
    const double key_value = 2.0 * 2048 / 4 * model.attention.kv_heads * 2 * model.attention.head_dim;
    EXPECT_EQ(bytes_of(layer, Group::context, TransferKind::all_to_all), 2 * (query + key_value + query));
}

TEST(UnfusedAttention, ComputesAndKeepsTheScoresOfAllPairs) {
    // arXiv 2205.05198, 4.1: 34 s b h + 5 a s^2 b bytes for each layer, of which ours keeps the FFN's and
    // norms' differently; the second term is the one that selective recomputation drops.
    const ModelArch& model = preset("gpt3-175b");
    ParallelPlan plan = tensor_plan(1);
    const double fused = test::counted_flops(block_kernels(model, plan, kDense));
    plan.attention_kernel = AttentionKernel::unfused;
    const double pairs = 2048.0 * 2048 * model.attention.heads;
    EXPECT_DOUBLE_EQ(test::counted_flops(block_kernels(model, plan, kDense)),
                     fused + 6.0 * pairs * model.attention.head_dim); // the half that a mask drops
    const auto dropped = [&](bool dropout) {
        plan.dropout = dropout;
        plan.recompute.core_attention = false;
        const hw::Bytes everything = activation_bytes(model, plan, kDense);
        plan.recompute.core_attention = true;
        return (everything - activation_bytes(model, plan, kDense)).value();
    };
    const double output = 2.0 * 2048 * model.hidden;
    EXPECT_EQ(dropped(true), 5.0 * pairs + output);
    EXPECT_EQ(dropped(false), 2.0 * pairs + output); // the softmax alone
}

TEST(FlashAttention, ComputesTheSameInEveryRelease) {
    ParallelPlan plan = tensor_plan(1);
    const BlockKernels usual = block_kernels(preset("llama-3-8b"), plan, kDense);
    const std::map<AttentionKernel, hw::KernelLibrary> libraries{
        {AttentionKernel::flash_attention_2, hw::KernelLibrary::flash_attention_2},
        {AttentionKernel::flash_attention_1, hw::KernelLibrary::flash_attention_1},
        {AttentionKernel::flash_attention_triton, hw::KernelLibrary::flash_attention_triton}};
    for (const auto& [kernel, library] : libraries) {
        plan.attention_kernel = kernel;
        const BlockKernels other = block_kernels(preset("llama-3-8b"), plan, kDense);
        EXPECT_EQ(test::counted_flops(usual), test::counted_flops(other));
        for (const hw::Operator& op : test::all_operators(other)) {
            EXPECT_EQ(op.library == library, hw::is_attention(op.kernel));
        }
    }
}

TEST(ExpertBiases, MoveTheirRowsAndComputeNothing) {
    ModelArch model = test::small_moe(2);
    const ParallelPlan plan = test::small_plan(1, 1);
    const Block moe{BlockKind::moe_layer, 1};
    const auto moved = [&] {
        double bytes = 0.0;
        for (const hw::Operator& op : test::all_operators(block_kernels(model, plan, moe))) {
            bytes += (op.read + op.written).value();
        }
        return bytes;
    };
    const double without = moved();
    const double flops = test::counted_flops(block_kernels(model, plan, moe));
    model.biases = true;
    EXPECT_EQ(test::counted_flops(block_kernels(model, plan, moe)), flops);
    // 28 bytes an element of the down projection's output forward and 40 backward; the up projection's
    // gradient read once.
    const double rows = static_cast<double>(plan.micro_batch_tokens()) * model.moe.top_k;
    const double up = 2.0 * model.moe.ffn_hidden;
    EXPECT_DOUBLE_EQ(moved() - without, rows * model.hidden * (28 + 40) + rows * up * 2);
}

TEST(ExpertTensorParallelism, SharesRowsAndDividesMatrices) {
    ModelArch model = test::small_moe(2);
    ParallelPlan plan = test::small_plan(1, 1);
    plan.tensor = 2;
    plan.expert = 4;
    const Block moe{BlockKind::moe_layer, 1};
    const BlockKernels whole = block_kernels(model, plan, moe);
    plan.expert_tensor = 2;
    const BlockKernels shared = block_kernels(model, plan, moe);
    EXPECT_DOUBLE_EQ(test::counted_flops(whole), test::counted_flops(shared));
    EXPECT_EQ(bytes_of(whole, Group::expert_tensor, TransferKind::all_gather), 0.0);
    EXPECT_GT(bytes_of(shared, Group::expert_tensor, TransferKind::all_gather), 0.0);
    EXPECT_EQ(stage_parameters(model, plan, {moe}).expert * 8,
              std::int64_t{model.moe.experts} * 3 * model.hidden * model.moe.ffn_hidden);
}

TEST(Parameters, AreSplitOverTensorParallelGpusSaveNormsAndRouters) {
    const ModelArch& model = preset("llama-3.1-405b");
    const ParallelPlan plan = tensor_plan(8);
    const std::vector<Block> blocks = split_stages(model, plan, 1).front();
    const std::int64_t norms = (2LL * model.layers + 1) * model.hidden;
    EXPECT_EQ(stage_parameters(model, plan, blocks).replicated,
              norms + (count_parameters(model).total - norms) / 8);
}

} // namespace
} // namespace chokepoint::work
