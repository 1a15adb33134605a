// Package model is a model checker for the futures library.
package model
