/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses and ports of a pool of NAT: its ranges without those that it excludes. */
#pragma once

#include "management/config.h"

struct config_pool_walk { /* start with zeros */
	uint32_t range;   /* that the last piece is of */
	uint64_t at;
};

/* The next addresses in a row, host byte order; false: there are no more. Ranges that could not be read are left out. */
bool config_pool_piece(
	const struct config_nat_pool *pool, struct config_pool_walk *walk, struct config_nat_range *piece);
uint32_t config_pool_pieces(const struct config_nat_pool *pool);            /* how many there are */
bool config_pool_has(const struct config_nat_pool *pool, uint32_t address); /* host byte order */
bool config_pool_has_port(const struct config_nat_pool *pool, uint16_t port);
/* Fills in address_count and port_count. */
void config_pool_count(struct config_nat_pool *pool);
