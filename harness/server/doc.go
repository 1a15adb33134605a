// Package server is the process that serves: one engine, one workload, once.
//
// Each trial gets a fresh one, because a process that has served before is not the process it was: its heap has grown, its
// threads exist, its sockets are warm. The package reads what to serve, sets the Go runtime up before the engine is made,
// and then does nothing but answer questions, so that what is measured is the engine.
//
// [Main] is the harness's child, which talks over its standard streams (see package control) and ends with them.
// [Foreground] is the same without a harness, for any client that speaks the protocol.
//
// Limits: control and engine share the process, so a sample costs the engine a little; the harness takes samples at the
// edges of a window.
package server
