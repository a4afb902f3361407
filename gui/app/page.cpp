// SPDX-License-Identifier: GPL-3.0-or-later
// Qt's meta-object compiler wants a source file beside the header.
#include "page.hpp"
