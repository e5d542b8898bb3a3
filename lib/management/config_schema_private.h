/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the table (config_schema.h) share: how an entry says where its value lands. */
#pragma once

#include "management/config_schema.h"

#define FIELD(type, member)                                                                                  \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define SECOND(type, member)  .second = offsetof(struct type, member)
#define PRESENT(type, member) .present = offsetof(struct type, member)
/* A list of least to most elements. */
#define LIST(type, pointer, number, least, most)                                                             \
	.list = true, .offset = offsetof(struct type, pointer),                                              \
	.size = sizeof(*((struct type *)0)->pointer), .count = offsetof(struct type, number),                \
	.list_min = (least), .list_max = (most)
/* An object whose keys land in the structure that its own object lands in. */
#define SAME_STRUCTURE     .offset = 0
#define RANGE(least, most) .min = (least), .max = (most)

extern const struct config_object config_neighbour_object; /* config_schema_hosts.c */
extern const struct config_object config_host_object;
extern const struct config_object config_dhcp_relay_object; /* config_schema_services.c */
extern const struct config_object config_port_control_object;
extern const struct config_object config_nat_object;     /* config_schema_nat.c */
extern const struct config_object config_nat_log_object; /* config_schema_log.c */

/* To an element of "segments"; in config_schema.c. */
extern const struct config_reference config_reference_segment;
