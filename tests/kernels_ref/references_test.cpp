// SPDX-License-Identifier: Apache-2.0
// CPU references against numbers worked out by hand and, for gradients, against differences of the forward
// pass.
#include "attention/attention.hpp"
#include "copy/copy.hpp"
#include "cross_entropy/cross_entropy.hpp"
#include "norm/norm.hpp"
#include "optimizer/adam.hpp"
#include "permute/permute.hpp"
#include "quantize/quantize.hpp"
#include "rope/rope.hpp"
#include "router/router.hpp"
#include "swiglu/swiglu.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

using namespace chokepoint::kref;

namespace {

using Vector = std::vector<double>;

Vector random_vector(std::size_t count, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    Vector v(count);
    for (double& value : v) {
        value = normal(random);
    }
    return v;
}

Matrix random_matrix(std::size_t rows, std::size_t columns, std::mt19937_64& random) {
    Matrix m;
    for (std::size_t i = 0; i < rows; ++i) {
        m.push_back(random_vector(columns, random));
    }
    return m;
}

double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// d loss / d x[i] by central differences.
Vector differences(Vector& x, const std::function<double()>& loss) {
    constexpr double kStep = 1e-5;
    Vector gradient;
    for (double& value : x) {
        const double kept = value;
        value = kept + kStep;
        const double above = loss();
        value = kept - kStep;
        const double below = loss();
        value = kept;
        gradient.push_back((above - below) / (2 * kStep));
    }
    return gradient;
}

void expect_near(const Vector& found, const Vector& expected, double tolerance) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_NEAR(found[i], expected[i], tolerance) << "element " << i;
    }
}

} // namespace

TEST(RmsNormReference, DividesByTheRootMeanSquare) {
    // rms of (3, 4, 0, 0) is 2.5.
    expect_near(norm_forward_reference({3, 4, 0, 0}, {1, 2, 1, 1}), {1.2, 3.2, 0, 0}, 1e-6);
}

TEST(RmsNormReference, GradientIsTheForwardsSlope) {
    std::mt19937_64 random(1);
    Vector x = random_vector(12, random);
    Vector weight = random_vector(12, random);
    const Vector dy = random_vector(12, random);
    const auto loss = [&] { return dot(norm_forward_reference(x, weight), dy); };
    expect_near(norm_backward_reference(dy, x, weight), differences(x, loss), 1e-7);
    const Vector inverse{inverse_rms_reference(x)};
    Vector dweight;
    for (std::size_t i = 0; i < x.size(); ++i) {
        dweight.push_back(norm_dweight_reference({dy[i]}, {x[i]}, inverse));
    }
    expect_near(dweight, differences(weight, loss), 1e-7);
}

TEST(RopeReference, TurnsByThePositionsAngle) {
    const std::vector<float> table = rope_table(3);
    Vector in(kRopeDim, 0.0);
    in[0] = 1.0;
    const Vector out = rope_reference(in, table.data() + 2 * kRopeDim); // position 2, fastest pair
    EXPECT_NEAR(out[0], std::cos(2.0), 1e-6);
    EXPECT_NEAR(out[1], std::sin(2.0), 1e-6);
    EXPECT_EQ(rope_reference(in, table.data()), in); // position 0 changes nothing
}

TEST(RopeReference, ProductsDependOnTheDistanceOfPositionsAlone) {
    std::mt19937_64 random(2);
    const Vector q = random_vector(kRopeDim, random);
    const Vector k = random_vector(kRopeDim, random);
    const std::vector<float> table = rope_table(20);
    const auto at = [&](const Vector& v, int position) {
        return rope_reference(v, table.data() + position * kRopeDim);
    };
    EXPECT_NEAR(dot(at(q, 5), at(k, 2)), dot(at(q, 18), at(k, 15)), 1e-4);
}

TEST(QuantizeReference, ScaleBringsTheLargestTo448) {
    std::vector<Bf16Bits> block(kQuantBlock, to_bf16(0.5F));
    block[7] = to_bf16(-2.0F);
    const QuantizedBlock q = quantize_reference(block);
    EXPECT_FLOAT_EQ(q.scale, 2.0F / 448.0F);
    EXPECT_EQ(from_e4m3(q.codes[7]), -448.0);
    EXPECT_EQ(from_e4m3(q.codes[0]), 112.0);
}

TEST(QuantizeReference, ZerosStayZeros) {
    const QuantizedBlock q = quantize_reference(std::vector<Bf16Bits>(kQuantBlock, 0));
    EXPECT_GT(q.scale, 0.0F);
    EXPECT_EQ(q.codes, std::vector<E4m3Bits>(kQuantBlock, 0));
}

TEST(CompareQuantized, AcceptsWhatRoundingGivesAndNothingElse) {
    std::mt19937_64 random(7);
    const Vector values = random_vector(kQuantBlock, random);
    double largest = 0.0;
    for (const double value : values) {
        largest = std::max(largest, std::abs(value));
    }
    const double scale = largest / kE4m3Max;
    Vector codes;
    for (const double value : values) {
        codes.push_back(from_e4m3(to_e4m3(static_cast<float>(value / scale))));
    }
    const auto worst = [&](const Vector& found, double found_scale) {
        FrobeniusError norm;
        WorstElement element;
        compare_quantized(values, found, found_scale, norm, element);
        return element.worst();
    };
    EXPECT_LE(worst(codes, scale), 1.0);
    EXPECT_LE(worst(codes, scale * (1.0 + 5e-6)), 1.0); // what FP32 and a fast exponential may do
    // The same values in other codes, but not with the scale that uses all of the range.
    for (const double wrong : {0.98, 1.02, 1.0001}) {
        Vector recoded;
        for (const double value : values) {
            recoded.push_back(from_e4m3(to_e4m3(static_cast<float>(value / (scale * wrong)))));
        }
        EXPECT_GT(worst(recoded, scale * wrong), 1.0) << wrong;
    }
    EXPECT_GT(worst(Vector(kQuantBlock, 0.0), scale), 1.0);
    EXPECT_GT(worst(Vector(kQuantBlock, 0.0), 0.0), 1.0);
    Vector one_off = codes;
    one_off[5] *= 1.125;
    EXPECT_GT(worst(one_off, scale), 1.0);
    one_off[5] = std::nan("");
    EXPECT_GT(worst(one_off, scale), 1.0);
}

TEST(CompareQuantized, ABlockOfZerosHasTheLeastScale) {
    const Vector zeros(kQuantBlock, 0.0);
    FrobeniusError norm;
    WorstElement worst;
    compare_quantized(zeros, zeros, static_cast<double>(kLeastMagnitude) / kE4m3Max, norm, worst);
    EXPECT_LE(worst.worst(), 1.0);
}

TEST(SwigluReference, KnowsOnePoint) {
    EXPECT_NEAR(swiglu_reference(1.0, 3.0), 3.0 * 0.7310585786300049, 1e-12);
    EXPECT_EQ(swiglu_reference(0.0, 5.0), 0.0);
}

TEST(SwigluReference, GradientIsTheForwardsSlope) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 20; ++i) {
        Vector x = random_vector(2, random);
        const double dh = random_vector(1, random)[0];
        const SwigluGradient g = swiglu_gradient_reference(x[0], x[1], dh);
        expect_near({g.gate, g.up}, differences(x, [&] { return dh * swiglu_reference(x[0], x[1]); }), 1e-8);
    }
}

TEST(RouterReference, ChoosesWithinTheBestGroups) {
    // Two groups of two; the best single expert (index 3) lies in the group with the lower sum of two.
    RouterRule rule{4, 1, 2, 1, true, 1.0F};
    const Vector affinity_logits{2.0, 1.9, -9.0, 2.5};
    const Routing routing = route_reference(affinity_logits, {0, 0, 0, 0}, rule);
    EXPECT_EQ(routing.chosen, std::vector<int>{0});
    rule.groups_kept = 2;
    EXPECT_EQ(route_reference(affinity_logits, {0, 0, 0, 0}, rule).chosen, std::vector<int>{3});
}

TEST(RouterReference, BiasDecidesTheChoiceButNotTheWeights) {
    const RouterRule rule{4, 2, 1, 1, true, 2.0F};
    const Vector logits{0.0, 0.0, 1.0, 1.0};
    const Routing routing = route_reference(logits, {5.0, 4.0, 0.0, 0.0}, rule);
    EXPECT_EQ(routing.chosen, (std::vector<int>{0, 1}));
    expect_near(routing.weights, {1.0, 1.0}, 1e-12); // equal affinities share the scale of 2
}

TEST(RouterReference, SoftmaxAffinitiesAddUpToOne) {
    const Vector a = affinities({1.0, 2.0, 3.0, -4.0}, false);
    EXPECT_NEAR(std::accumulate(a.begin(), a.end(), 0.0), 1.0, 1e-12);
    EXPECT_NEAR(a[2] / a[1], std::exp(1.0), 1e-12);
}

TEST(RandomRouting, PlacesEveryCopyOnceAndPositionsInvertSources) {
    std::mt19937_64 random(4);
    const RandomRouting r = random_routing(50, 8, 32, random);
    ASSERT_EQ(r.source.size(), 400U);
    std::vector<int> seen(400, 0);
    for (std::size_t copy = 0; copy < r.position.size(); ++copy) {
        const auto row = static_cast<std::size_t>(r.position[copy]);
        ++seen[row];
        EXPECT_EQ(r.source[row], static_cast<std::int32_t>(copy / 8));
    }
    EXPECT_EQ(seen, std::vector<int>(400, 1));
}

TEST(UnpermuteReference, WeighsRows) {
    expect_near(unpermute_reference({{1, 2}, {10, 20}}, {0.5, 0.1}), {1.5, 3.0}, 1e-12);
}

TEST(CrossEntropyReference, ShardsMakeNoDifference) {
    std::mt19937_64 random(5);
    const Vector logits = random_vector(40, random);
    const Vector left(logits.begin(), logits.begin() + 16);
    const Vector right(logits.begin() + 16, logits.end());
    const std::int64_t target = 21;
    const RowLoss whole = loss_reference({statistics_reference(logits, target)});
    const RowLoss split =
        loss_reference({statistics_reference(left, target), statistics_reference(right, target - 16)});
    EXPECT_NEAR(whole.loss, split.loss, 1e-5);
    double sum = 0.0;
    for (const double logit : logits) {
        sum += std::exp(logit);
    }
    EXPECT_NEAR(whole.loss, std::log(sum) - logits[target], 1e-5);
}

TEST(AdamReference, FirstStepMovesByTheRateAgainstTheGradient) {
    AdamRule rule;
    rule.decay = 0.0F;
    rule.correction1 = 1.0F - rule.beta1;
    rule.correction2 = 1.0F - rule.beta2;
    const AdamState after = adam_reference({1.0, 0.0, 0.0}, 0.25, rule);
    EXPECT_NEAR(after.master, 1.0 - static_cast<double>(rule.rate), 1e-7);
    EXPECT_NEAR(after.first, 0.025, 1e-8);
    EXPECT_NEAR(after.second, 0.05 * 0.0625, 1e-8);
}

TEST(AdamReference, MomentsOfOneGradientMakeStepsOfOneSize) {
    // What the check of the device starts from: no element may drown the others in its norm.
    AdamRule rule;
    rule.decay = 0.0F;
    rule.correction1 = 1.0F - rule.beta1;
    rule.correction2 = 1.0F - rule.beta2;
    std::mt19937_64 random(8);
    for (const double gradient : random_vector(1000, random)) {
        const AdamState start = adam_reference({0.0, 0.0, 0.0}, 1e-3 * gradient, rule);
        const AdamState after = adam_reference(start, 1e-3 * gradient, rule);
        EXPECT_LT(std::abs(after.master - start.master), 2.0 * static_cast<double>(rule.rate));
    }
}

TEST(AdamReference, DecayPullsTowardsZeroApartFromTheGradient) {
    AdamRule rule;
    const AdamState after = adam_reference({2.0, 0.0, 0.0}, 0.0, rule);
    EXPECT_NEAR(after.master, 2.0 * (1.0 - static_cast<double>(rule.rate) * static_cast<double>(rule.decay)),
                1e-9);
}

TEST(AddReference, RoundsTheExactSumOnce) {
    EXPECT_EQ(add_reference(to_bf16(1.0F), to_bf16(0.00390625F)), to_bf16(1.0F));
    EXPECT_EQ(add_reference(to_bf16(3.0F), to_bf16(-3.0F)), Bf16Bits{0});
}

TEST(AttentionReference, EqualScoresAverageTheValues) {
    const AttentionRow row =
        attention_row_reference({0, 0}, {{1, 2}, {3, 4}, {9, 9}}, {{2}, {4}, {100}}, 2, 0.7);
    expect_near(row.output, {3.0}, 1e-12); // the third key is not visible
    EXPECT_NEAR(row.log_sum, std::log(2.0), 1e-12);
}

TEST(AttentionReference, GradientsAreTheForwardsSlopes) {
    std::mt19937_64 random(6);
    constexpr std::size_t kSeq = 5;
    const double scale = 0.6;
    Matrix q = random_matrix(kSeq, 4, random);
    Matrix k = random_matrix(kSeq, 4, random);
    Matrix v = random_matrix(kSeq, 3, random);
    const Matrix d_o = random_matrix(kSeq, 3, random);
    const auto row = [&](std::size_t i) {
        return attention_row_reference(q[i], k, v, static_cast<std::int64_t>(i) + 1, scale);
    };
    const auto loss = [&] {
        double sum = 0.0;
        for (std::size_t i = 0; i < kSeq; ++i) {
            sum += dot(row(i).output, d_o[i]);
        }
        return sum;
    };
    Matrix outputs;
    Vector log_sums;
    for (std::size_t i = 0; i < kSeq; ++i) {
        outputs.push_back(row(i).output);
        log_sums.push_back(row(i).log_sum);
    }
    for (std::size_t i = 0; i < kSeq; ++i) {
        const Vector dq = attention_dq_reference(q[i], k, v, static_cast<std::int64_t>(i) + 1, scale,
                                                 outputs[i], d_o[i], log_sums[i]);
        expect_near(dq, differences(q[i], loss), 1e-7);
        const KeyGradient g = attention_dkv_reference(k[i], v[i], q, outputs, d_o, log_sums,
                                                      static_cast<std::int64_t>(i), scale);
        expect_near(g.key, differences(k[i], loss), 1e-7);
        expect_near(g.value, differences(v[i], loss), 1e-7);
    }
}
