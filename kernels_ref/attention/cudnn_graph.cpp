// SPDX-License-Identifier: Apache-2.0
// The backend's descriptors: created, given attributes, finalised.
#include "attention/cudnn_graph.hpp"

#include "framework/cuda_error.hpp"

namespace chokepoint::kref {
namespace {

/// Of a handle or descriptor, which are pointers themselves.
template <class Pointer> const void* address(const Pointer& pointer) {
    return static_cast<const void*>(&pointer);
}

} // namespace

CudnnGraph::CudnnGraph(const CudnnLibrary& lib) : lib_(lib) {}

CudnnGraph::~CudnnGraph() {
    for (auto descriptor = owned_.rbegin(); descriptor != owned_.rend(); ++descriptor) {
        lib_.destroy_descriptor(*descriptor);
    }
    if (handle_ != nullptr) {
        lib_.destroy(handle_);
    }
}

CudnnGraph::Descriptor CudnnGraph::make(cudnnBackendDescriptorType_t type) {
    Descriptor descriptor = nullptr;
    lib_.require(lib_.create_descriptor(type, &descriptor), "cudnnBackendCreateDescriptor");
    owned_.push_back(descriptor);
    return descriptor;
}

void CudnnGraph::set(Descriptor descriptor, cudnnBackendAttributeName_t attribute,
                     cudnnBackendAttributeType_t type, std::int64_t count, const void* value) {
    lib_.require(lib_.set_attribute(descriptor, attribute, type, count, value), "cudnnBackendSetAttribute");
}

CudnnGraph::Tensor CudnnGraph::add_tensor(const Extents& dims, const Extents& strides, cudnnDataType_t type,
                                          bool is_inner, bool by_value) {
    const std::int64_t id = static_cast<std::int64_t>(tensors_.size()) + 1;
    const std::int64_t alignment = 16;
    const Descriptor d = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, static_cast<std::int64_t>(dims.size()),
        dims.data());
    set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, static_cast<std::int64_t>(strides.size()),
        strides.data());
    set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    set(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_inner);
    if (by_value) {
        set(d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value);
    }
    lib_.require(lib_.finalize(d), "finalise a tensor");
    const Tensor tensor{id};
    tensors_[tensor] = d;
    return tensor;
}

CudnnGraph::Tensor CudnnGraph::tensor(const Extents& dims, const Extents& strides, cudnnDataType_t type) {
    return add_tensor(dims, strides, type, false, false);
}

CudnnGraph::Tensor CudnnGraph::inner(const Extents& dims, const Extents& strides, cudnnDataType_t type) {
    return add_tensor(dims, strides, type, true, false);
}

CudnnGraph::Tensor CudnnGraph::scalar(float value) {
    const Extents one{1, 1, 1, 1};
    const Tensor tensor = add_tensor(one, one, CUDNN_DATA_FLOAT, false, true);
    scalars_[tensor] = std::make_unique<float>(value);
    return tensor;
}

void CudnnGraph::attach(Descriptor operation, cudnnBackendAttributeName_t attribute, Tensor tensor) {
    const Descriptor d = tensors_.at(tensor);
    set(operation, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, address(d));
}

void CudnnGraph::add_operation(Descriptor operation) {
    lib_.require(lib_.finalize(operation), "finalise an operation");
    operations_.push_back(operation);
}

void CudnnGraph::matmul(Tensor a, Tensor b, Tensor out) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const Descriptor how = make(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    set(how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    lib_.require(lib_.finalize(how), "finalise a matmul");
    const Descriptor operation = make(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    attach(operation, CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
    attach(operation, CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
    attach(operation, CUDNN_ATTR_OPERATION_MATMUL_CDESC, out);
    set(operation, CUDNN_ATTR_OPERATION_MATMUL_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, address(how));
    add_operation(operation);
}

void CudnnGraph::pointwise(cudnnPointwiseMode_t mode, Tensor x, Tensor y, const Pointwise& more) {
    const Descriptor how = make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &more.compute);
    if (more.axis) {
        set(how, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, 1, &*more.axis);
    }
    lib_.require(lib_.finalize(how), "finalise a pointwise descriptor");
    const Descriptor operation = make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set(operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
        address(how));
    attach(operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    attach(operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    if (more.b) {
        attach(operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *more.b);
    }
    if (more.mask) {
        attach(operation, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, *more.mask);
    }
    add_operation(operation);
}

void CudnnGraph::reduce(cudnnReduceTensorOp_t op, Tensor x, Tensor y) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const Descriptor how = make(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    set(how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    set(how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &op);
    lib_.require(lib_.finalize(how), "finalise a reduction");
    const Descriptor operation = make(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    attach(operation, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    attach(operation, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    set(operation, CUDNN_ATTR_OPERATION_REDUCTION_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, address(how));
    add_operation(operation);
}

void CudnnGraph::reshape(Tensor x, Tensor y) {
    const Descriptor operation = make(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
    attach(operation, CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x);
    attach(operation, CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y);
    add_operation(operation);
}

std::vector<CudnnGraph::Descriptor> CudnnGraph::engine_configs(Descriptor graph, Descriptor properties) {
    const Descriptor heuristic = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    set(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, address(graph));
    set(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (properties != nullptr) {
        set(heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            address(properties));
    }
    lib_.require(lib_.finalize(heuristic), "ask cuDNN's heuristic");
    std::int64_t offered = 0;
    lib_.require(lib_.get_attribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                    0, &offered, nullptr),
                 "count engines");
    std::vector<Descriptor> configs;
    for (std::int64_t i = 0; i < offered; ++i) {
        configs.push_back(make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
    }
    std::int64_t returned = 0;
    lib_.require(lib_.get_attribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                    offered, &returned, static_cast<void*>(configs.data())),
                 "list engines");
    configs.resize(static_cast<std::size_t>(returned));
    return configs;
}

int CudnnGraph::plan(const std::string& device_properties) {
    Descriptor properties = nullptr;
    if (!device_properties.empty()) {
        properties = make(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
        set(properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            static_cast<std::int64_t>(device_properties.size()), device_properties.data());
        lib_.require(lib_.finalize(properties), "read device properties");
    } else {
        lib_.require(lib_.create(&handle_), "cudnnCreate");
    }
    const Descriptor graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
        static_cast<std::int64_t>(operations_.size()), static_cast<const void*>(operations_.data()));
    if (handle_ != nullptr) {
        set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, address(handle_));
    }
    lib_.require(lib_.finalize(graph), "finalise the graph");

    const std::vector<Descriptor> configs = engine_configs(graph, properties);
    if (properties != nullptr) {
        return static_cast<int>(configs.size());
    }
    std::string refusals;
    for (const Descriptor config : configs) {
        const Descriptor candidate = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        set(candidate, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, address(handle_));
        set(candidate, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            address(config));
        const cudnnStatus_t status = lib_.finalize(candidate);
        if (status != CUDNN_STATUS_SUCCESS) {
            refusals += " " + std::to_string(static_cast<int>(status));
            continue;
        }
        std::int64_t count = 0;
        lib_.require(lib_.get_attribute(candidate, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                        1, &count, &workspace_bytes_),
                     "ask for the workspace");
        plan_ = candidate;
        return static_cast<int>(configs.size());
    }
    throw Unsupported("none of cuDNN's " + std::to_string(configs.size()) +
                      " engines takes the graph:" + refusals);
}

void CudnnGraph::run(const Bindings& bindings, std::byte* workspace, cudaStream_t stream) {
    std::vector<std::int64_t> ids;
    std::vector<const void*> pointers;
    for (const auto& [tensor, pointer] : bindings) {
        ids.push_back(static_cast<std::int64_t>(tensor));
        pointers.push_back(pointer);
    }
    for (const auto& [tensor, value] : scalars_) {
        ids.push_back(static_cast<std::int64_t>(tensor));
        pointers.push_back(value.get());
    }
    Descriptor pack = nullptr; // not among owned_: one for each launch
    lib_.require(lib_.create_descriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack),
                 "create a variant pack");
    const std::unique_ptr<void, cudnnStatus_t (*)(Descriptor)> guard(pack, lib_.destroy_descriptor);
    const auto count = static_cast<std::int64_t>(ids.size());
    set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids.data());
    set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, pointers.data());
    set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    lib_.require(lib_.finalize(pack), "finalise a variant pack");
    lib_.require(lib_.set_stream(handle_, stream), "cudnnSetStream");
    lib_.require(lib_.execute(handle_, plan_, pack), "cudnnBackendExecute");
}

} // namespace chokepoint::kref
