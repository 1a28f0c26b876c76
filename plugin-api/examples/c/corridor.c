/* corridor.c: a complete environment in C.
 *
 * c/Corridor-v0: an agent in a corridor of `length` cells (config, 8 by default) walks left (0) or
 * right (1) and earns 1 on reaching the right end, which ends the episode. Episodes are cut off after
 * 100 steps. Observation: position / length.
 *
 * Build: cc -O2 -fPIC -shared -I ../../include corridor.c -o libcorridor.so
 */
#include "palaestra_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 100u

typedef struct { uint32_t position, steps; uint64_t episodes; double sum; } world;

typedef struct {
  uint64_t n;
  uint32_t length, last_write;
  palaestra_slab_table table; /* copy of the bound table */
  palaestra_slab *slabs;
  world worlds[];
} corridor;

static palaestra_status put(const palaestra_sink *sink, const char *text) {
  return sink->write(sink->context, (const uint8_t *)text, strlen(text));
}

static palaestra_status fail(const palaestra_sink *error, palaestra_status status, const char *line) {
  if (error) put(error, line);
  return status;
}

/* The address of a slab's slot, or NULL when the host has not bound it. */
static void *at(const corridor *self, uint32_t id, uint32_t group, uint32_t slot) {
  const palaestra_slab *slab = palaestra_find(&self->table, id, group);
  return slab ? palaestra_at(slab, slot) : NULL;
}

static palaestra_status spec(palaestra_opaque *p, const palaestra_sink *out, const palaestra_sink *error) {
  (void)p; (void)error;
  return put(out,
    "{\"groups\":[{\"name\":\"walker\",\"agents\":1,"
    "\"observation\":{\"type\":\"box\",\"shape\":[1],\"low\":[0.0],\"high\":[1.0]},"
    "\"action\":{\"type\":\"discrete\",\"n\":2}}],"
    "\"max_episode_steps\":100,\"reward_range\":[0.0,1.0],\"tags\":[\"single-agent\"]}");
}

static palaestra_status bind(palaestra_opaque *p, const palaestra_slab_table *table, const palaestra_sink *error) {
  corridor *self = (corridor *)p;
  palaestra_slab *copy = malloc((table->len ? table->len : 1) * sizeof *copy);
  if (!copy) return fail(error, PALAESTRA_IO, "bind: expected memory, found none");
  if (table->len) memcpy(copy, table->slabs, table->len * sizeof *copy);
  free(self->slabs);
  self->slabs = copy;
  self->table = (palaestra_slab_table){copy, table->len};
  return PALAESTRA_OK;
}

static void unbind(palaestra_opaque *p) { ((corridor *)p)->table.len = 0; }

/* Writes what only concerns the current state of one world. */
static void show(corridor *self, uint64_t i, uint32_t slot) {
  const world *w = &self->worlds[i];
  float *observation = at(self, PALAESTRA_OBSERVATION, 0, slot);
  uint8_t *first = at(self, PALAESTRA_FIRST, PALAESTRA_NO_GROUP, slot);
  uint64_t *episode = at(self, PALAESTRA_EPISODE, PALAESTRA_NO_GROUP, slot);
  uint32_t *step = at(self, PALAESTRA_STEP, PALAESTRA_NO_GROUP, slot);
  if (observation) observation[i] = (float)w->position / (float)self->length;
  if (first) first[i] = w->steps == 0;
  if (episode) episode[i] = w->episodes - 1;
  if (step) step[i] = w->steps;
}

static void begin(corridor *self, uint64_t i, uint32_t slot) {
  world *w = &self->worlds[i];
  w->position = 0; w->steps = 0; w->sum = 0.0; w->episodes += 1;
  show(self, i, slot);
}

static palaestra_status reset(palaestra_opaque *p, const uint8_t *mask, palaestra_text options, uint32_t write, const palaestra_sink *error) {
  corridor *self = (corridor *)p;
  (void)options; (void)error;
  float *reward = at(self, PALAESTRA_REWARD, 0, write);
  uint8_t *terminated = at(self, PALAESTRA_TERMINATED, PALAESTRA_NO_GROUP, write);
  uint8_t *truncated = at(self, PALAESTRA_TRUNCATED, PALAESTRA_NO_GROUP, write);
  for (uint64_t i = 0; i < self->n; i++) {
    if (mask && !mask[i]) continue;
    begin(self, i, write);
    if (reward) reward[i] = 0.0f;
    if (terminated) terminated[i] = 0;
    if (truncated) truncated[i] = 0;
  }
  self->last_write = write;
  return PALAESTRA_OK;
}

/* Moves one world; returns its reward. */
static float advance(const corridor *self, world *w, int32_t action, uint8_t *terminated, uint8_t *truncated) {
  if (action) w->position += 1; else if (w->position) w->position -= 1;
  w->steps += 1;
  *terminated = w->position >= self->length;
  *truncated = !*terminated && w->steps >= LIMIT;
  w->sum += *terminated;
  return *terminated;
}

static palaestra_status step(palaestra_opaque *p, uint32_t read, uint32_t write, const palaestra_sink *error) {
  corridor *self = (corridor *)p;
  const int32_t *action = at(self, PALAESTRA_ACTION, 0, read);
  if (!action) return fail(error, PALAESTRA_PLUGIN, "step: expected a bound action slab, found none");
  for (uint64_t i = 0; i < self->n; i++) {
    if (action[i] < 0 || action[i] > 1) {
      char line[96];
      snprintf(line, sizeof line, "action of env %llu: expected 0..2, found %d", (unsigned long long)i, action[i]);
      return fail(error, PALAESTRA_BAD_ACTION, line);
    }
  }
  float *reward = at(self, PALAESTRA_REWARD, 0, write);
  uint8_t *terminated = at(self, PALAESTRA_TERMINATED, PALAESTRA_NO_GROUP, write);
  uint8_t *truncated = at(self, PALAESTRA_TRUNCATED, PALAESTRA_NO_GROUP, write);
  uint32_t *count = at(self, PALAESTRA_ENDED_COUNT, PALAESTRA_NO_GROUP, write);
  uint32_t *row = at(self, PALAESTRA_ENDED_ROW, PALAESTRA_NO_GROUP, write);
  float *final = at(self, PALAESTRA_FINAL_OBSERVATION, 0, write);
  double *total = at(self, PALAESTRA_EPISODE_RETURN, 0, write);
  uint32_t *length = at(self, PALAESTRA_EPISODE_LENGTH, PALAESTRA_NO_GROUP, write);
  uint32_t ended = 0;
  for (uint64_t i = 0; i < self->n; i++) {
    world *w = &self->worlds[i];
    uint8_t is_terminal, is_cut;
    float earned = advance(self, w, action[i], &is_terminal, &is_cut);
    if (reward) reward[i] = earned;
    if (terminated) terminated[i] = is_terminal;
    if (truncated) truncated[i] = is_cut;
    if (is_terminal || is_cut) {
      if (row) row[ended] = (uint32_t)i;
      if (final) final[ended] = (float)w->position / (float)self->length;
      if (total) total[ended] = w->sum;
      if (length) length[ended] = w->steps;
      ended += 1;
      begin(self, i, write);
    } else {
      show(self, i, write);
    }
  }
  if (count) count[0] = ended;
  self->last_write = write;
  return PALAESTRA_OK;
}

static palaestra_status step_exact(palaestra_opaque *p, palaestra_text actions, uint32_t write, const palaestra_sink *out, const palaestra_sink *error) {
  corridor *self = (corridor *)p;
  if (self->n != 1) return fail(error, PALAESTRA_CONFIG, "step_exact: expected one instance");
  int right = 0;
  for (uint64_t i = 0; i < actions.len; i++) right |= actions.data[i] == '1';
  int32_t *action = at(self, PALAESTRA_ACTION, 0, self->last_write);
  if (!action) return fail(error, PALAESTRA_PLUGIN, "step_exact: expected a bound action slab, found none");
  action[0] = right;
  world before = self->worlds[0];
  uint8_t terminated, truncated;
  float earned = advance(self, &before, right, &terminated, &truncated);
  char line[128];
  snprintf(line, sizeof line, "{\"state\":{\"position\":%u},\"rewards\":[[%g]],\"terminated\":%s}", before.position, earned, terminated ? "true" : "false");
  palaestra_status status = step(p, self->last_write, write, error);
  return status == PALAESTRA_OK ? put(out, line) : status;
}

static palaestra_status set_options(palaestra_opaque *p, const uint8_t *mask, palaestra_text options, const palaestra_sink *error) {
  (void)p; (void)mask; (void)options; (void)error;
  return PALAESTRA_OK;
}

static palaestra_status snapshot(palaestra_opaque *p, uint64_t i, const palaestra_sink *out, const palaestra_sink *error) {
  const corridor *self = (const corridor *)p;
  if (i >= self->n) return fail(error, PALAESTRA_CONFIG, "instance: expected a smaller index");
  char line[128];
  const world *w = &self->worlds[i];
  snprintf(line, sizeof line, "corridor %u %u %llu %a.", w->position, w->steps, (unsigned long long)w->episodes, w->sum);
  return put(out, line);
}

static palaestra_status restore(palaestra_opaque *p, uint64_t i, const palaestra_source *source, uint32_t write, const palaestra_sink *error) {
  corridor *self = (corridor *)p;
  char line[128] = {0};
  int64_t n = source->read(source->context, (uint8_t *)line, sizeof line - 1);
  world w;
  unsigned long long episodes;
  int read = 0; /* the full stop at the end tells a whole snapshot from a cut one */
  if (i >= self->n || n <= 0 || sscanf(line, "corridor %u %u %llu %la.%n", &w.position, &w.steps, &episodes, &w.sum, &read) != 4 || read == 0 || line[read] || w.position >= self->length)
    return fail(error, PALAESTRA_CONFIG, "snapshot: expected one of c/Corridor-v0, found something else");
  w.episodes = episodes;
  self->worlds[i] = w;
  self->last_write = write;
  show(self, i, write);
  return PALAESTRA_OK;
}

static palaestra_status clone_instance(palaestra_opaque *p, uint64_t from, uint64_t to, uint32_t write, const palaestra_sink *error) {
  corridor *self = (corridor *)p;
  if (from >= self->n || to >= self->n) return fail(error, PALAESTRA_CONFIG, "instance: expected a smaller index");
  self->worlds[to] = self->worlds[from];
  show(self, to, write);
  return PALAESTRA_OK;
}

static palaestra_status inspect(palaestra_opaque *p, uint64_t i, const palaestra_sink *out, const palaestra_sink *error) {
  const corridor *self = (const corridor *)p;
  if (i >= self->n) return fail(error, PALAESTRA_CONFIG, "instance: expected a smaller index");
  char line[64];
  snprintf(line, sizeof line, "{\"position\":%u}", self->worlds[i].position);
  return put(out, line);
}

static palaestra_status render(palaestra_opaque *p, uint64_t i, uint32_t mode, const palaestra_sink *out, const palaestra_sink *error) {
  const corridor *self = (const corridor *)p;
  if (mode != PALAESTRA_RENDER_TEXT) return fail(error, PALAESTRA_UNSUPPORTED, "render: expected mode text");
  for (uint32_t cell = 0; cell <= self->length; cell++)
    put(out, cell == self->worlds[i].position ? "A" : cell == self->length ? "G" : ".");
  return put(out, "\n");
}

static const palaestra_opaque *no_extension(palaestra_opaque *p, palaestra_text id) { (void)p; (void)id; return NULL; }

static void destroy(palaestra_opaque *p) { free(((corridor *)p)->slabs); free(p); }

static const palaestra_environment_vtable VTABLE = {
  sizeof VTABLE, spec, bind, unbind, reset, step, step_exact, set_options, snapshot, restore, clone_instance, inspect, render, no_extension, destroy,
};

/* A reader of requests such as {"id":"c/Corridor-v0","config":{"length":8}}; a real plugin would use a JSON
 * library. The host has checked the config against the schema in the manifest, but a plugin takes nothing for
 * granted: other callers exist. */
typedef struct { const uint8_t *at, *end; } reader;

/* Whether `token` comes next, white space aside; if so, passes it. */
static int take(reader *r, const char *token) {
  while (r->at < r->end && memchr(" \t\r\n", *r->at, 4)) r->at++;
  size_t n = strlen(token);
  if ((size_t)(r->end - r->at) < n || memcmp(r->at, token, n)) return 0;
  r->at += n;
  return 1;
}

static const char *read_config(reader *r, uint32_t *length) {
  if (!take(r, "{")) return "config: expected an object";
  if (take(r, "}")) return NULL;
  do {
    if (!take(r, "\"length\"") || !take(r, ":")) return "config: expected the key length, found another";
    uint32_t number = 0;
    take(r, "");
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
      if (number < 1000) number = 10 * number + (*r->at - '0');
    take(r, ".0"); /* an integer to JSON Schema */
    if (number < 1 || number > 50) return "config: /length: expected an integer of 1 to 50, found something else";
    *length = number;
  } while (take(r, ","));
  return take(r, "}") ? NULL : "config: /length: expected an integer of 1 to 50, found something else";
}

/* Reads a request; returns what is wrong with it, or NULL. */
static const char *read_request(palaestra_text request, uint32_t *length) {
  reader r = {request.data, request.data + request.len};
  if (!take(&r, "{")) return "request: expected an object";
  do {
    if (take(&r, "\"config\"") && take(&r, ":")) {
      const char *wrong = read_config(&r, length);
      if (wrong) return wrong;
    } else if (!take(&r, "\"id\"") || !take(&r, ":") || !take(&r, "\"c/Corridor-v0\"")) {
      return "id: expected c/Corridor-v0, found another";
    }
  } while (take(&r, ","));
  return take(&r, "}") ? NULL : "request: expected an object";
}

static palaestra_status make(palaestra_text request, const palaestra_host_context *host, const palaestra_make_options *options, palaestra_environment *out, const palaestra_sink *error) {
  (void)host;
  uint32_t length = 8;
  const char *wrong = read_request(request, &length);
  if (wrong) return fail(error, PALAESTRA_CONFIG, wrong);
  corridor *self = calloc(1, sizeof *self + options->instances * sizeof(world));
  if (!self) return fail(error, PALAESTRA_IO, "make: expected memory, found none");
  self->n = options->instances;
  self->length = length;
  *out = (palaestra_environment){(palaestra_opaque *)self, &VTABLE};
  return PALAESTRA_OK;
}

static palaestra_status trace(palaestra_text id, palaestra_text document, const palaestra_sink *out, const palaestra_sink *error) {
  (void)id; (void)document; (void)out;
  return fail(error, PALAESTRA_UNSUPPORTED, "trace: not offered by c/Corridor-v0");
}

static const palaestra_environment_factory FACTORY = {sizeof FACTORY, make, trace};

static palaestra_status init(const palaestra_host_context *host, const palaestra_sink *error) {
  (void)host; (void)error;
  return PALAESTRA_OK;
}

static const palaestra_opaque *extension(palaestra_text id) {
  const char *known = "palaestra.environment/1";
  return id.len == strlen(known) && !memcmp(id.data, known, id.len) ? (const palaestra_opaque *)&FACTORY : NULL;
}

PALAESTRA_EXPORT const palaestra_entry palaestra_plugin_entry = {sizeof palaestra_plugin_entry, PALAESTRA_ABI_DRAFT, 0, init, extension};

PALAESTRA_MANIFEST static const char manifest[] =
  "{\"palaestra\":1,\"abi\":{\"version\":\"1.0\",\"draft\":1},\"plugin\":\"corridor-c\",\"version\":\"0.1.0\","
  "\"license\":\"MIT\",\"description\":\"A corridor, written in C\",\"panic\":\"unwind\",\"arch\":\"x86_64\",\"os\":\"linux\","
  "\"profile\":\"release\",\"door\":\"c\",\"exports\":[{\"kind\":\"environment\",\"id\":\"c/Corridor-v0\","
  "\"description\":\"Walk to the right end of a corridor\",\"traces\":[],\"schema\":{\"title\":\"CorridorConfig\",\"type\":\"object\","
  "\"properties\":{\"length\":{\"description\":\"Number of cells.\",\"type\":\"integer\",\"minimum\":1,\"maximum\":50,\"default\":8}},"
  "\"additionalProperties\":false}}]}";
