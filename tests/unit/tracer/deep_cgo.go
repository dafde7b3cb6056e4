// As deep_go.go, but the call is C's.
package main

/*
#include <sys/stat.h>
#define AFTER_CALL __asm__ volatile("" ::: "memory")
__attribute__((noinline)) static void inner(void) { umask(0); AFTER_CALL; }
__attribute__((noinline)) static void outer(void) { inner(); AFTER_CALL; }
*/
import "C"

import (
	"os"
	"runtime"
	"strconv"
)

//go:noinline
func leaf() {
	var callers [64]uintptr
	text := ""
	// Without Callers itself and leaf.
	for _, at := range callers[:runtime.Callers(2, callers[:])] {
		text += "return " + strconv.FormatUint(uint64(at), 16) + "\n"
	}
	os.Stdout.WriteString(text)
	C.outer()
}

//go:noinline
func inner(more int) int {
	if more > 0 {
		return inner(more-1) + 1
	}
	leaf()
	return 0
}

func main() {
	done := make(chan int)
	go func() { done <- inner(20) }()
	<-done
}
