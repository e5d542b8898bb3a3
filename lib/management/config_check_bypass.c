/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on what is not translated. */
#include "management/config_check.h"
#include "management/config_collision.h"

#include <arpa/inet.h>

static struct config_span destination_of(const struct config_nat_bypass *bypass, uint32_t at)
{
	uint32_t mask = ipv4_mask(bypass->destination[at].length),
		 address = bypass->destination[at].address.v4;
	return (struct config_span){ .first = ntohl(address & mask), .last = ntohl(address | ~mask) };
}

/* Their destinations do; their hosts may be others. */
static bool bypasses_collide(const struct config *config, struct config_document *document,
	const struct config_span *earlier, const struct config_span *later)
{
	const struct config_nat_bypass *one = &config->nat.bypass[earlier->index],
				       *other = &config->nat.bypass[later->index];
	const char *here = CONFIG_SPAN_PATH(later);
	char found[IP_PREFIX_TEXT];

	if (one->segment != other->segment ||
		(!ipv4_prefix_contains(&one->prefix, other->prefix.address.v4) &&
			!ipv4_prefix_contains(&other->prefix, one->prefix.address.v4)))
		return false;
	config_error_at(document, here, "%s overlaps %s; want each destination of a host once",
		ip_prefix_text(&other->destination[later->element], found),
		CONFIG_OTHER(document, "%s", CONFIG_SPAN_PATH(earlier)));
	return true;
}

static bool takes_all(
	const struct config_nat_bypass *bypass, uint32_t segment, const struct ip_address *inside)
{
	bool everywhere = false;

	for (uint32_t i = 0; i < bypass->destination_count; i++)
		everywhere |= bypass->destination[i].address.family != AF_UNSPEC &&
			      bypass->destination[i].length == 0;
	return everywhere && bypass->segment == segment && inside->family != AF_UNSPEC &&
	       ipv4_prefix_contains(&bypass->prefix, inside->v4);
}

static void check_host(const struct config *config, struct config_document *document, uint32_t index,
	uint32_t segment, const struct ip_address *inside, const char *path)
{
	char text[IP_ADDRESS_TEXT];

	if (segment < config->segment_count && takes_all(&config->nat.bypass[index], segment, inside))
		config_error_at(document, CONFIG_PATH("nat.bypass[%u]", index),
			"nothing of %s is translated then, but it is the host of %s; want destinations, or "
			"other hosts",
			ip_address_text(inside, text), CONFIG_OTHER(document, "%s", path));
}

void config_check_bypass(const struct config *config, struct config_document *document)
{
	const struct config_nat *nat = &config->nat;
	struct config_spans spans = { 0 };

	if (config_has_error(document, "nat.bypass"))
		return;
	for (uint32_t i = 0; i < nat->bypass_count; i++) {
		for (uint32_t d = 0; d < nat->bypass[i].destination_count; d++) {
			struct config_span span = destination_of(&nat->bypass[i], d);

			span.kind = SPAN_BYPASS;
			span.index = i;
			span.element = d;
			config_span_add(document, &spans, span);
		}
		for (uint32_t s = 0; s < nat->static_count; s++)
			check_host(config, document, i, nat->static_binding[s].segment,
				&nat->static_binding[s].inside, CONFIG_PATH("nat.static[%u].inside", s));
		for (uint32_t f = 0; f < nat->forward_count; f++)
			check_host(config, document, i, nat->forward[f].segment, &nat->forward[f].inside,
				CONFIG_PATH("nat.forward[%u].inside", f));
	}
	config_spans_check(config, document, &spans, bypasses_collide);
}
