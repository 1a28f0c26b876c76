/* Prints the size of every struct of palaestra_plugin.h and the offset of every field. */
#include "palaestra_plugin.h"
#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(palaestra_##type))
#define FIELD(type, field) printf(#type "." #field " %zu\n", offsetof(palaestra_##type, field))

int main(void) {
  SIZE(status);
  SIZE(text); FIELD(text, data); FIELD(text, len);
  SIZE(sink); FIELD(sink, context); FIELD(sink, write);
  SIZE(source); FIELD(source, context); FIELD(source, read);
  SIZE(slab); FIELD(slab, id); FIELD(slab, group); FIELD(slab, dtype); FIELD(slab, rank); FIELD(slab, data);
  FIELD(slab, shape); FIELD(slab, strides);
  SIZE(slab_table); FIELD(slab_table, slabs); FIELD(slab_table, len);
  SIZE(parallel_body); FIELD(parallel_body, run);
  SIZE(host_api); FIELD(host_api, size); FIELD(host_api, log); FIELD(host_api, metric);
  FIELD(host_api, cancel_flag); FIELD(host_api, threads); FIELD(host_api, parallel_for); FIELD(host_api, rank);
  FIELD(host_api, world); FIELD(host_api, all_reduce); FIELD(host_api, broadcast); FIELD(host_api, barrier);
  FIELD(host_api, extension);
  SIZE(host_context); FIELD(host_context, run); FIELD(host_context, api);
  SIZE(make_options); FIELD(make_options, size); FIELD(make_options, run_seed); FIELD(make_options, first_instance);
  FIELD(make_options, instances); FIELD(make_options, purpose); FIELD(make_options, exchange);
  SIZE(environment_vtable); FIELD(environment_vtable, size); FIELD(environment_vtable, spec);
  FIELD(environment_vtable, bind); FIELD(environment_vtable, unbind); FIELD(environment_vtable, reset);
  FIELD(environment_vtable, step); FIELD(environment_vtable, step_exact); FIELD(environment_vtable, set_options);
  FIELD(environment_vtable, snapshot); FIELD(environment_vtable, restore); FIELD(environment_vtable, clone_instance);
  FIELD(environment_vtable, inspect); FIELD(environment_vtable, render); FIELD(environment_vtable, extension);
  FIELD(environment_vtable, destroy);
  SIZE(environment); FIELD(environment, self); FIELD(environment, vtable);
  SIZE(environment_factory); FIELD(environment_factory, size); FIELD(environment_factory, make);
  FIELD(environment_factory, trace);
  SIZE(entry); FIELD(entry, size); FIELD(entry, abi_draft); FIELD(entry, reserved); FIELD(entry, init);
  FIELD(entry, extension);
  return 0;
}
