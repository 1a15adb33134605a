//go:build !coopdebug

package coop

const checksCopies = false
