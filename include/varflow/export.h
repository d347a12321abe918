#pragma once
// VF_API marks what the shared library exports; everything else is hidden.
#if defined(VARFLOW_STATIC)
#define VF_API
#else
#define VF_API __attribute__((visibility("default")))
#endif
