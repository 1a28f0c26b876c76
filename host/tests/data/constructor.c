/* A constructor that leaves a trace: it runs when the library is opened, before anything is called. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void leave_a_trace(void) {
  const char *path = getenv("PALAESTRA_TEST_TRACE");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (file) fclose(file);
}
