#define __JMP_BUF_SP 1
#define JB_FRAME_ADDRESS(buf) ((void *) (unsigned long) (buf[__JMP_BUF_SP]))
