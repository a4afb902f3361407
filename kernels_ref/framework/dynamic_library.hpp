// SPDX-License-Identifier: Apache-2.0
// Opens shared libraries at run time, so that the program starts, and lists its kernels, where they are
// absent.
#pragma once

#include <string>
#include <vector>

namespace chokepoint::kref {

class DynamicLibrary {
public:
    /// Tries the names in order. @throws Unsupported naming all of them and the loader's last message.
    explicit DynamicLibrary(const std::vector<std::string>& names);
    ~DynamicLibrary();
    DynamicLibrary(const DynamicLibrary&) = delete;
    DynamicLibrary& operator=(const DynamicLibrary&) = delete;

    /// Sets `function` to the library's symbol. @throws Unsupported if it has none.
    template <class Function> void bind(Function*& function, const char* symbol) const {
        function = reinterpret_cast<Function*>(find(symbol, true));
    }
    /// The same, leaving null where the library has none.
    template <class Function> void bind_optional(Function*& function, const char* symbol) const {
        function = reinterpret_cast<Function*>(find(symbol, false));
    }

private:
    using Symbol = void (*)();
    [[nodiscard]] Symbol find(const char* symbol, bool required) const;

    std::string name_;
    void* handle_ = nullptr; // dlopen's own type
};

} // namespace chokepoint::kref
