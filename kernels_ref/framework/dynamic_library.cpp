// SPDX-License-Identifier: Apache-2.0
// dlopen and dlsym behind exceptions.
#include "framework/dynamic_library.hpp"

#include "framework/cuda_error.hpp"

#include <dlfcn.h>

namespace chokepoint::kref {

DynamicLibrary::DynamicLibrary(const std::vector<std::string>& names) {
    std::string tried;
    std::string reason;
    for (const std::string& name : names) {
        handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
        if (handle_ != nullptr) {
            name_ = name;
            return;
        }
        const char* message = dlerror();
        reason = message != nullptr ? message : "unknown reason";
        tried += (tried.empty() ? "" : ", ") + name;
    }
    throw Unsupported("cannot open " + tried + " (" + reason + "); put its folder in LD_LIBRARY_PATH");
}

DynamicLibrary::~DynamicLibrary() {
    if (handle_ != nullptr) {
        dlclose(handle_);
    }
}

DynamicLibrary::Symbol DynamicLibrary::find(const char* symbol, bool required) const {
    void* found = dlsym(handle_, symbol);
    if (found == nullptr && required) {
        throw Unsupported(name_ + " has no symbol " + symbol);
    }
    return reinterpret_cast<Symbol>(found);
}

} // namespace chokepoint::kref
