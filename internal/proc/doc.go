// Package proc is what stands behind a user's processor: the ends it sends to, and its view of the task. The types of
// package topology (Out, OutValue, Task) have types of this package as underlying types, so that kstream can make them
// and users see nothing inside.
package proc
