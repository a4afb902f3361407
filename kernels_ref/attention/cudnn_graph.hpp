// SPDX-License-Identifier: Apache-2.0
// Builds a cuDNN operation graph through its backend API, plans it, and runs it.
#pragma once

#include "attention/cudnn_library.hpp"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chokepoint::kref {

class CudnnGraph {
public:
    explicit CudnnGraph(const CudnnLibrary&);
    ~CudnnGraph();
    CudnnGraph(const CudnnGraph&) = delete;
    CudnnGraph& operator=(const CudnnGraph&) = delete;

    using Extents = std::vector<std::int64_t>;
    /// Names a tensor of this graph; also its unique id.
    enum class Tensor : std::int64_t {};

    /// A tensor in device memory, to be bound to a pointer.
    Tensor tensor(const Extents& dims, const Extents& strides, cudnnDataType_t type);
    /// An intermediate that exists inside the kernel alone.
    Tensor inner(const Extents& dims, const Extents& strides, cudnnDataType_t type);
    /// One float, passed by value.
    Tensor scalar(float value);

    void matmul(Tensor a, Tensor b, Tensor out);
    struct Pointwise {
        std::optional<Tensor> b, mask;
        std::optional<std::int64_t> axis;
        cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    };
    void pointwise(cudnnPointwiseMode_t mode, Tensor x, Tensor y, const Pointwise& more);
    void pointwise(cudnnPointwiseMode_t mode, Tensor x, Tensor y) { pointwise(mode, x, y, Pointwise{}); }
    void reduce(cudnnReduceTensorOp_t op, Tensor x, Tensor y);
    void reshape(Tensor x, Tensor y);
    [[nodiscard]] int operations() const { return static_cast<int>(operations_.size()); }

    /// Finds the heuristic's first engine that accepts the graph. With `device_properties` (cuDNN's JSON) no
    /// GPU is needed and the result cannot be run. @throws Unsupported if there is none. Returns how many
    /// were offered.
    int plan(const std::string& device_properties = {});
    [[nodiscard]] std::int64_t workspace_bytes() const { return workspace_bytes_; }
    /// Pointers by tensor; scalars are added here.
    using Bindings = std::map<Tensor, const void*>; // typed by the tensors themselves
    void run(const Bindings&, std::byte* workspace, cudaStream_t);

private:
    using Descriptor = cudnnBackendDescriptor_t;
    Descriptor make(cudnnBackendDescriptorType_t);
    Tensor add_tensor(const Extents&, const Extents&, cudnnDataType_t, bool is_inner, bool by_value);
    void attach(Descriptor operation, cudnnBackendAttributeName_t, Tensor);
    void add_operation(Descriptor operation);
    void set(Descriptor, cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, std::int64_t count,
             const void* value);
    [[nodiscard]] std::vector<Descriptor> engine_configs(Descriptor graph, Descriptor properties);

    const CudnnLibrary& lib_;
    cudnnHandle_t handle_ = nullptr;
    std::vector<Descriptor> owned_;
    std::vector<Descriptor> operations_;
    std::map<Tensor, Descriptor> tensors_;
    std::map<Tensor, std::unique_ptr<float>> scalars_;
    Descriptor plan_ = nullptr;
    std::int64_t workspace_bytes_ = 0;
};

} // namespace chokepoint::kref
