// SPDX-License-Identifier: Apache-2.0
// The shipped table knows the kernels of common libraries; every fault of a table is found and located.
#include "profile_files.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/kernel_rules.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chokepoint;
using testing::HasSubstr;

namespace {

std::string class_of(std::string_view kernel, std::string_view category = "kernel") {
    static const hw::KernelRules rules = hw::load_kernel_rules();
    const auto found = rules.classify(kernel, category, "7");
    return found ? rules.classes[*found].id : "";
}

std::string faults_of(std::string_view table) {
    const test::ProfileFile file(table);
    try {
        hw::load_kernel_rules(file.path());
    } catch (const hw::CatalogError& error) {
        return error.what();
    }
    return {};
}

constexpr std::string_view kClass = "[[class]]\nid = \"mine\"\nduty = \"compute\"\n";

} // namespace

TEST(KernelRules, KnowTheKernelsOfCommonLibraries) {
    EXPECT_EQ(class_of("nvjet_tst_192x192_64x4_2x1_v_bz_coopB_TNT"), "gemm bf16");
    EXPECT_EQ(class_of("nvjet_qqtst_128x256_128x4_2x1_v_bz_TNN"), "gemm fp8");
    EXPECT_EQ(class_of("sm90_xmma_gemm_bf16f32_bf16f32_f32_nt_n_tilesize128x128x64_cublas"), "gemm bf16");
    EXPECT_EQ(class_of("ampere_bf16_s16816gemm_bf16_128x256_ldg8_f2f_stages_64x3_tn"), "gemm bf16");
    EXPECT_EQ(class_of("void deep_gemm::fp8_gemm_kernel<7168u, 2048u>(float*)"), "gemm fp8");
    EXPECT_EQ(class_of("void flash::flash_fwd_kernel<Flash_fwd_kernel_traits<128>>(Params)"),
              "attention forward");
    EXPECT_EQ(class_of("cudnn_generated_fort_native_sdpa_sm90_flash_bprop_wgmma_f16_knob"),
              "attention backward");
    EXPECT_EQ(class_of("void flash::flash_bwd_dot_do_o_kernel<true>(Params)"),
              "attention, before and after backward");
    EXPECT_EQ(class_of("ncclDevKernel_ReduceScatter_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096>)"),
              "reduce-scatter");
    EXPECT_EQ(class_of("ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096>)"), "send and receive");
    EXPECT_EQ(class_of("void deep_ep::internode::dispatch<false, 8>(int4*)"), "dispatch");
    EXPECT_EQ(class_of("void deep_ep::intranode::combine<__nv_bfloat16, 8>(int4*)"), "combine");
    EXPECT_EQ(class_of("void deep_ep::internode::notify_dispatch<false, 8>(int)"), "notify, with waiting");
    EXPECT_EQ(class_of("void transformer_engine::normalization::rmsnorm_fwd_tuned_kernel<int>()"), "norm");
    EXPECT_EQ(
        class_of(
            "void at::native::(anonymous namespace)::multi_tensor_apply_kernel<TensorListMetadata<4>>()"),
        "optimizer");
    EXPECT_EQ(class_of("Memcpy DtoH (Device -> Pinned)", "gpu_memcpy"), "copy engine");
    EXPECT_EQ(class_of("a kernel that nobody knows"), "");
}

TEST(KernelRules, TheFirstThatAppliesDecides) {
    const test::ProfileFile file(std::string(kClass) + "[[class]]\nid = \"other\"\nduty = \"copy\"\n" +
                                 "[[rule]]\nclass = \"other\"\nall = [\"a\", \"b\"]\nstreams = [\"7\"]\n" +
                                 "[[rule]]\nclass = \"mine\"\nany = [\"a\", \"c\"]\n");
    const hw::KernelRules rules = hw::load_kernel_rules(file.path());
    EXPECT_EQ(rules.classify("xaxbx", "kernel", "7"), 1U);
    EXPECT_EQ(rules.classify("xaxbx", "kernel", "8"), 0U) << "another stream";
    EXPECT_EQ(rules.classify("xa", "kernel", "7"), 0U) << "not all of the parts";
    EXPECT_EQ(rules.classify("c", "gpu_memcpy", ""), 0U) << "any category";
    EXPECT_EQ(rules.classify("b", "kernel", "7"), std::nullopt);
}

TEST(KernelRules, EveryFaultOfATableIsNamedWithItsPlace) {
    const std::string faults = faults_of(
        "[[class]]\nid = \"mine\"\nduty = \"work\"\noperators = [\"gemm\", \"norm_fwd bf16\", \"gem fp8\"]\n"
        "transfers = [\"scatter\"]\n"
        "[[class]]\nid = \"mine\"\nduty = \"copy\"\n"
        "[[rule]]\nclass = \"yours\"\nany = [\"\"]\n"
        "[[rule]]\nclass = \"mine\"\n"
        "[[rule]]\nclass = \"mine\"\nname = [\"x\"]\n");
    EXPECT_THAT(faults, HasSubstr(":3:8: error: class[0].duty: \"work\"; expected compute"));
    EXPECT_THAT(faults, HasSubstr("\"gemm\" is no operator"));
    EXPECT_THAT(faults, HasSubstr("\"norm_fwd bf16\" is no operator"));
    EXPECT_THAT(faults, HasSubstr("\"gem fp8\" is no operator"));
    EXPECT_THAT(faults, HasSubstr("\"scatter\" is no transfer"));
    EXPECT_THAT(faults, HasSubstr("\"mine\" is there twice"));
    EXPECT_THAT(faults, HasSubstr("no class has the id \"yours\""));
    EXPECT_THAT(faults, HasSubstr("an empty text fits everything"));
    EXPECT_THAT(faults, HasSubstr("no condition; expected any, all, categories or streams"));
    EXPECT_THAT(faults, HasSubstr("unknown key"));
    EXPECT_THAT(faults_of("[[class"), HasSubstr("error"));
}
