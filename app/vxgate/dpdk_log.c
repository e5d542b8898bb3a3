/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/gateway.h"

#include "base/log.h"
#include <errno.h>
#include <rte_log.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

static enum log_level level_of_dpdk(int level)
{
	if (level <= 0)
		return LOG_WARNING;
	if (level <= (int)RTE_LOG_ERR)
		return LOG_ERROR;
	if (level <= (int)RTE_LOG_WARNING)
		return LOG_WARNING;
	return LOG_DEBUG;
}

/* What DPDK writes comes in whole messages of one line or more. */
static ssize_t forward(void *cookie, const char *text, size_t size)
{
	enum log_level level = level_of_dpdk(rte_log_cur_msg_loglevel());
	const char *end = text + size;

	(void)cookie;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline != NULL ? newline : end) - text);
		if (length > 0)
			log_message(level, "dpdk: %.*s", (int)length, text);
		text += length + (newline != NULL);
	}
	return (ssize_t)size;
}

int dpdk_log_start(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = forward });

	if (stream == NULL)
		return -errno;
	setlinebuf(stream);
	return rte_openlog_stream(stream) == 0 ? 0 : -EINVAL;
}
