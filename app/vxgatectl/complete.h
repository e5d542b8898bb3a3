/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgatectl complete WORD...: what the last word could become, a line each. completion.bash asks this, so that the
 * shell knows what the program knows. */
#pragma once

#include <stdio.h>

void complete_print(char **word, int count, FILE *out);
