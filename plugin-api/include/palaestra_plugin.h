/* palaestra_plugin.h: write a Palaestra plugin in C, C++ or Zig.
 *
 * Export one symbol, `palaestra_plugin_entry`, and place one JSON object into the section `.rlmeta`
 * (PALAESTRA_MANIFEST below): hosts read it without running anything. Everything cold crosses as JSON
 * text, everything hot as slabs of host-owned memory, a whole batch per call.
 *
 * Threads. [own]: one thread at a time, any thread. [any]: any thread, at any time. [once]: before
 * anything else. Pointers that a function receives are valid for that call, except the host context
 * (as long as the object) and bound slabs (from `bind` to `unbind` or `destroy`).
 *
 * Errors. A function that returns a status other than PALAESTRA_OK first writes one line to `error`:
 * `subject: expected X, found Y`, lower case. Nothing may unwind or longjmp across the boundary.
 */
#ifndef PALAESTRA_PLUGIN_H
#define PALAESTRA_PLUGIN_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define PALAESTRA_ABI_VERSION "1.0"
#define PALAESTRA_ABI_DRAFT 1u

typedef struct palaestra_opaque palaestra_opaque;
typedef int32_t palaestra_status;
enum {
  PALAESTRA_OK = 0,
  PALAESTRA_CONFIG = 2,      /* a value that a person can correct */
  PALAESTRA_PLUGIN = 3,      /* this plugin is at fault */
  PALAESTRA_IO = 4,          /* the machine: files, memory, streams */
  PALAESTRA_UNSUPPORTED = 6, /* not offered by this object */
  PALAESTRA_BAD_ACTION = 7,  /* an action outside its space; nothing moved */
  PALAESTRA_CANCELLED = 8
};

/* Borrowed bytes: UTF-8 where text is meant. Not terminated by NUL. */
typedef struct { const uint8_t *data; uint64_t len; } palaestra_text;

/* Where to write bytes: text results, errors, snapshots. Several writes append. */
typedef struct {
  palaestra_opaque *context;
  palaestra_status (*write)(palaestra_opaque *context, const uint8_t *data, uint64_t len);
} palaestra_sink;

/* Where to read bytes from: returns how many, 0 at the end, negative on an error. */
typedef struct {
  palaestra_opaque *context;
  int64_t (*read)(palaestra_opaque *context, uint8_t *data, uint64_t len);
} palaestra_source;

/* ---- slabs ---------------------------------------------------------------------------------- */

#define PALAESTRA_MAX_RANK 6
#define PALAESTRA_NO_GROUP UINT32_MAX
enum { PALAESTRA_U8 = 1, PALAESTRA_I32 = 2, PALAESTRA_U32 = 3, PALAESTRA_U64 = 4, PALAESTRA_F32 = 5, PALAESTRA_F64 = 6 };

/* Ids. g: one slab per agent group, [slots, n, agents, ...]; the others [slots, n, ...]. */
enum {
  PALAESTRA_OBSERVATION = 1,       /* g f32 or u8 [..., width] */
  PALAESTRA_ACTION = 2,            /* g i32 (choices) or f32 (box) [..., width] */
  PALAESTRA_REWARD = 3,            /* g f32: reward of the step that led to this slot */
  PALAESTRA_ACTION_MASK = 4,       /* g u8 [..., choices] */
  PALAESTRA_ALIVE = 5,             /* g u8 */
  PALAESTRA_ACTING = 6,            /* g u8 */
  PALAESTRA_AGENT_TERMINATED = 7,  /* g u8 */
  PALAESTRA_AGENT_TRUNCATED = 8,   /* g u8 */
  PALAESTRA_AGENT_FIRST = 9,       /* g u8 */
  PALAESTRA_STATE = 32,            /* f32 [..., width] */
  PALAESTRA_TERMINATED = 33,       /* u8 */
  PALAESTRA_TRUNCATED = 34,        /* u8 */
  PALAESTRA_FIRST = 35,            /* u8: the observation at this slot begins an episode */
  PALAESTRA_METRICS = 36,          /* f32 [..., metrics] */
  PALAESTRA_EPISODE = 49,          /* u64 */
  PALAESTRA_STEP = 50,             /* u32 */
  PALAESTRA_ENDED_COUNT = 64,      /* u32; element 0 is the length of the lists below */
  PALAESTRA_ENDED_ROW = 65,        /* u32: which instances ended in this step */
  PALAESTRA_FINAL_OBSERVATION = 66,/* g, as PALAESTRA_OBSERVATION */
  PALAESTRA_FINAL_ACTION_MASK = 67,/* g, as PALAESTRA_ACTION_MASK */
  PALAESTRA_FINAL_ALIVE = 68,      /* g u8 */
  PALAESTRA_FINAL_STATE = 69,      /* f32 [..., width] */
  PALAESTRA_EPISODE_RETURN = 70,   /* g f64 */
  PALAESTRA_EPISODE_LENGTH = 71,   /* u32 */
  PALAESTRA_EPISODE_METRICS = 72   /* f64 [..., metrics] */
};

/* One block of host memory. Axis 0 is the time slot, axis 1 the instance; axes 1.. are row-major and
 * contiguous. A slot stride of 0 means one slot for all. Unknown ids are to be ignored. */
typedef struct {
  uint32_t id;
  uint32_t group;
  uint32_t dtype;
  uint32_t rank;
  uint8_t *data;
  uint64_t shape[PALAESTRA_MAX_RANK];
  int64_t strides[PALAESTRA_MAX_RANK]; /* bytes */
} palaestra_slab;

typedef struct { const palaestra_slab *slabs; uint64_t len; } palaestra_slab_table;

/* First element of a slab at a slot, and the slab with an id and group, or NULL. */
static inline void *palaestra_at(const palaestra_slab *slab, uint32_t slot) {
  return slab->data + (int64_t)slot * slab->strides[0];
}
static inline const palaestra_slab *palaestra_find(const palaestra_slab_table *table, uint32_t id, uint32_t group) {
  for (uint64_t i = 0; i < table->len; i++)
    if (table->slabs[i].id == id && table->slabs[i].group == group) return &table->slabs[i];
  return NULL;
}

/* ---- the host ------------------------------------------------------------------------------- */

typedef struct { palaestra_status (*run)(palaestra_opaque *data, uint64_t index); } palaestra_parallel_body;

/* All [any]. Every function takes the `run` that came with it. */
typedef struct {
  uint64_t size;
  void (*log)(palaestra_opaque *run, uint32_t level, palaestra_text target, palaestra_text message); /* 1 error .. 4 debug */
  void (*metric)(palaestra_opaque *run, palaestra_text name, double value);
  const uint8_t *(*cancel_flag)(palaestra_opaque *run); /* turns from 0 to 1: poll it */
  uint32_t (*threads)(palaestra_opaque *run);
  palaestra_status (*parallel_for)(palaestra_opaque *run, uint64_t count, palaestra_opaque *data, palaestra_parallel_body body);
  uint32_t (*rank)(palaestra_opaque *run);
  uint32_t (*world)(palaestra_opaque *run);
  palaestra_status (*all_reduce)(palaestra_opaque *run, uint32_t op, uint32_t dtype, uint8_t *data, uint64_t len); /* op: 1 sum, 2 max, 3 min */
  palaestra_status (*broadcast)(palaestra_opaque *run, uint32_t root, uint8_t *data, uint64_t len);
  palaestra_status (*barrier)(palaestra_opaque *run);
  const palaestra_opaque *(*extension)(palaestra_opaque *run, palaestra_text id);
} palaestra_host_api;

typedef struct { palaestra_opaque *run; const palaestra_host_api *api; } palaestra_host_context;

typedef struct {
  uint64_t size;
  uint64_t run_seed;
  uint64_t first_instance; /* global index of instance 0: seeds follow global indices */
  uint64_t instances;
  uint64_t purpose;
  const void *exchange; /* algorithms only */
} palaestra_make_options;

/* ---- environments: extension "palaestra.environment/1" -------------------------------------- */

enum { PALAESTRA_RENDER_SCENE = 1, PALAESTRA_RENDER_TEXT = 2, PALAESTRA_RENDER_RGB = 3 };

/* All [own]. */
typedef struct {
  uint64_t size;
  palaestra_status (*spec)(palaestra_opaque *self, const palaestra_sink *out, const palaestra_sink *error);
  palaestra_status (*bind)(palaestra_opaque *self, const palaestra_slab_table *table, const palaestra_sink *error);
  void (*unbind)(palaestra_opaque *self);
  /* Where mask[i] != 0 (everywhere when mask is NULL); options: JSON object or empty, unknown keys are
   * ignored ("init", "options", "manual_reset": see the documentation of EnvironmentVtable); writes slot `write`. */
  palaestra_status (*reset)(palaestra_opaque *self, const uint8_t *mask, palaestra_text options, uint32_t write, const palaestra_sink *error);
  /* Actions from slot `read`, everything else to slot `write`; ended instances are listed and reset. */
  palaestra_status (*step)(palaestra_opaque *self, uint32_t read, uint32_t write, const palaestra_sink *error);
  /* One instance, actions as JSON [group][agent][component]; writes {"state":..,"rewards":[[..]],"terminated":..}. */
  palaestra_status (*step_exact)(palaestra_opaque *self, palaestra_text actions, uint32_t write, const palaestra_sink *out, const palaestra_sink *error);
  palaestra_status (*set_options)(palaestra_opaque *self, const uint8_t *mask, palaestra_text options, const palaestra_sink *error);
  palaestra_status (*snapshot)(palaestra_opaque *self, uint64_t instance, const palaestra_sink *out, const palaestra_sink *error);
  palaestra_status (*restore)(palaestra_opaque *self, uint64_t instance, const palaestra_source *source, uint32_t write, const palaestra_sink *error);
  palaestra_status (*clone_instance)(palaestra_opaque *self, uint64_t from, uint64_t to, uint32_t write, const palaestra_sink *error);
  palaestra_status (*inspect)(palaestra_opaque *self, uint64_t instance, const palaestra_sink *out, const palaestra_sink *error);
  /* PALAESTRA_RENDER_RGB: u32 width, u32 height (little-endian), then 3*width*height bytes. */
  palaestra_status (*render)(palaestra_opaque *self, uint64_t instance, uint32_t mode, const palaestra_sink *out, const palaestra_sink *error);
  const palaestra_opaque *(*extension)(palaestra_opaque *self, palaestra_text id);
  void (*destroy)(palaestra_opaque *self);
} palaestra_environment_vtable;

typedef struct { palaestra_opaque *self; const palaestra_environment_vtable *vtable; } palaestra_environment;

/* All [any]. */
typedef struct {
  uint64_t size;
  /* request: {"id": .., "config": {..}} */
  palaestra_status (*make)(palaestra_text request, const palaestra_host_context *host, const palaestra_make_options *options, palaestra_environment *out, const palaestra_sink *error);
  palaestra_status (*trace)(palaestra_text id, palaestra_text document, const palaestra_sink *out, const palaestra_sink *error);
} palaestra_environment_factory;

/* ---- entry ---------------------------------------------------------------------------------- */

typedef struct {
  uint64_t size;
  uint32_t abi_draft; /* PALAESTRA_ABI_DRAFT */
  uint32_t reserved;  /* 0 */
  palaestra_status (*init)(const palaestra_host_context *host, const palaestra_sink *error); /* [once] */
  const palaestra_opaque *(*extension)(palaestra_text id);                                   /* [any] factory or NULL */
} palaestra_entry;

#if defined(__GNUC__)
#define PALAESTRA_EXPORT __attribute__((visibility("default"), used))
#define PALAESTRA_MANIFEST __attribute__((section(".rlmeta"), used))
#endif

/* PALAESTRA_EXPORT const palaestra_entry palaestra_plugin_entry = {...};
 * PALAESTRA_MANIFEST static const char manifest[] = "{\"palaestra\":1, ...}"; */

#ifdef __cplusplus
}
#endif
#endif
