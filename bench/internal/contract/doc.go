// Package contract is the command line that every engine of the benchmarks answers to, ours and others', so that one
// harness can drive them all:
//
//	engine --brokers HOST:PORT[,..] --workload W --in TOPIC[,TOPIC2] --out TOPIC --app ID
//	       --state-dir DIR --guarantee eos|alos|amos --commit-ms 100 --cache-mb 0 [--workers 1]
//
//	        start               SIGTERM
//	harness ─────► engine: joins group ID, reads from offset 0 or the group's commit ─────► stops cleanly, exits 0
//	                   └──► a failure: exits 1 with the reason on standard error; a bad command line: exits 2
//
// An engine's main function is one line:
//
//	func main() { contract.Main("b0", []string{"copy"}, nil, run) }
package contract
