// SPDX-License-Identifier: Apache-2.0
//
// The files of the web console, as they are in this folder, inside the program: it stays one binary, and the files stay
// files. Each of them is embedded by the compiler, which also notices when one changes.
#pragma once

#include <stddef.h>

/// One embedded file. The bytes live as long as the program.
struct console_file {
    /// The path below the folder, such as "pages/layout.mustache"; NULL after the last file.
    const char *path;
    const unsigned char *bytes;
    size_t length;
};

/// The file at a position; one without a path at and beyond the end.
struct console_file console_file_at(size_t position);
