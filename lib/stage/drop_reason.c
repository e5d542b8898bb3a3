/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/drop_reason.h"

const struct drop_reason_text drop_reason_text[DROP_REASONS] = {
#define DROP(identifier, name, sentence) [DROP_##identifier] = { name, sentence },
#include "stage/drop_reason.def"
#undef DROP
};
