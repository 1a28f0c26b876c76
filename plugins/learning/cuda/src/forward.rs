//! The functions that cudarc calls, each handed on to the library that has it.
//!
//! All of them take integers and pointers only and return a status of 32 bits. On 64-bit Linux such arguments travel in
//! registers and stack slots of one word each, so words are handed on exactly, whatever their width. Arguments are as
//! NVIDIA documents them; a function that is missing answers with its library's own status for that.

#![allow(non_snake_case)]

use std::{
    ffi::{CStr, c_char},
    mem::transmute,
    sync::OnceLock,
};

use crate::library::{CUBLAS, DRIVER, NVRTC, Shared};

/// CUDA_ERROR_NO_DEVICE.
pub(crate) const NO_DEVICE: u32 = 100;
/// CUBLAS_STATUS_NOT_INITIALIZED.
const NO_CUBLAS: u32 = 1;
/// NVRTC_ERROR_INTERNAL_ERROR.
const NO_NVRTC: u32 = 11;

/// The address of a function, looked up once; 0 when it is missing.
fn address(found: &OnceLock<usize>, library: &Shared, name: &CStr) -> usize {
    *found.get_or_init(|| library.address(name))
}

macro_rules! forward {
    ($library:ident, $missing:ident; $($name:ident($($argument:ident)*);)*) => {$(
        /// # Safety
        /// As NVIDIA's function of this name.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name($($argument: usize),*) -> u32 {
            static FOUND: OnceLock<usize> = OnceLock::new();
            let name = concat!(stringify!($name), "\0");
            let name = CStr::from_bytes_until_nul(name.as_bytes()).unwrap_or_default();
            match address(&FOUND, &$library, name) {
                0 => $missing,
                // SAFETY: the library's function of this name takes so many words, and the caller answers for them.
                found => unsafe {
                    let function: unsafe extern "C" fn($(forward!(@word $argument)),*) -> u32 = transmute(found);
                    function($($argument),*)
                },
            }
        }
    )*};
    (@word $argument:ident) => { usize };
}

forward! { DRIVER, NO_DEVICE;
    cuInit(a);
    cuDriverGetVersion(a);
    cuDeviceGet(a b);
    cuDeviceGetCount(a);
    cuDeviceGetAttribute(a b c);
    cuDeviceTotalMem_v2(a b);
    cuDeviceGetDefaultMemPool(a b);
    cuDevicePrimaryCtxRetain(a b);
    cuDevicePrimaryCtxRelease_v2(a);
    cuCtxSetCurrent(a);
    cuCtxGetCurrent(a);
    cuEventCreate(a b);
    cuEventRecord(a b);
    cuEventElapsedTime(a b c);
    cuEventDestroy_v2(a);
    cuStreamCreate(a b);
    cuStreamSynchronize(a);
    cuStreamDestroy_v2(a);
    cuStreamWaitEvent(a b c);
    cuMemAlloc_v2(a b);
    cuMemAllocAsync(a b c);
    cuMemFree_v2(a);
    cuMemFreeAsync(a b);
    cuMemGetInfo_v2(a b);
    cuMemPoolSetAttribute(a b c);
    cuMemsetD8_v2(a b c);
    cuMemsetD8Async(a b c d);
    cuMemcpyHtoD_v2(a b c);
    cuMemcpyHtoDAsync_v2(a b c d);
    cuMemcpyDtoH_v2(a b c);
    cuMemcpyDtoHAsync_v2(a b c d);
    cuMemcpyDtoD_v2(a b c);
    cuMemcpyDtoDAsync_v2(a b c d);
    cuModuleLoad(a b);
    cuModuleLoadData(a b);
    cuModuleGetFunction(a b c);
    cuModuleUnload(a);
    cuLaunchKernel(a b c d e f g h i j k);
    cuOccupancyAvailableDynamicSMemPerBlock(a b c d);
    cuOccupancyMaxActiveBlocksPerMultiprocessor(a b c d);
    cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(a b c d e);
    cuOccupancyMaxPotentialBlockSize(a b c d e f);
    cuOccupancyMaxPotentialBlockSizeWithFlags(a b c d e f g);
    cuOccupancyMaxActiveClusters(a b c);
    cuOccupancyMaxPotentialClusterSize(a b c);
    cuImportExternalMemory(a b);
    cuExternalMemoryGetMappedBuffer(a b c);
    cuDestroyExternalMemory(a);
    cuProfilerStart();
    cuProfilerStop();
}

forward! { CUBLAS, NO_CUBLAS;
    cublasCreate_v2(a);
    cublasDestroy_v2(a);
    cublasSetStream_v2(a b);
    cublasSgemm_v2(a b c d e f g h i j k l m n);
    cublasDgemm_v2(a b c d e f g h i j k l m n);
    cublasSgemmStridedBatched(a b c d e f g h i j k l m n o p q r);
    cublasDgemmStridedBatched(a b c d e f g h i j k l m n o p q r);
    cublasGemmEx(a b c d e f g h i j k l m n o p q r s);
    cublasGemmStridedBatchedEx(a b c d e f g h i j k l m n o p q r s t u v w);
    cublasSgemv_v2(a b c d e f g h i j k l);
    cublasDgemv_v2(a b c d e f g h i j k l);
}

forward! { NVRTC, NO_NVRTC;
    nvrtcCreateProgram(a b c d e f);
    nvrtcCompileProgram(a b c);
    nvrtcDestroyProgram(a);
    nvrtcGetPTX(a b);
    nvrtcGetPTXSize(a b);
    nvrtcGetProgramLog(a b);
    nvrtcGetProgramLogSize(a b);
    nvrtcVersion(a b);
}

macro_rules! words {
    ($($name:ident)*) => {$(
        /// Always has an answer: cudarc expects one while it puts an error into words.
        ///
        /// # Safety
        /// `out` is where the address of a string is put.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name(status: u32, out: *mut *const c_char) -> u32 {
            static FOUND: OnceLock<usize> = OnceLock::new();
            let name = concat!(stringify!($name), "\0");
            let name = CStr::from_bytes_until_nul(name.as_bytes()).unwrap_or_default();
            let found = address(&FOUND, &DRIVER, name);
            // SAFETY: the driver's function of this name is of this type, and the caller answers for `out`.
            unsafe {
                if found != 0 {
                    let function: unsafe extern "C" fn(u32, *mut *const c_char) -> u32 = transmute(found);
                    if function(status, out) == 0 {
                        return 0;
                    }
                }
                *out = c"the CUDA driver's library is not there".as_ptr();
            }
            0
        }
    )*};
}

words! { cuGetErrorString cuGetErrorName }
