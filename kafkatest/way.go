package kafkatest

import "fmt"

// Way is how a cluster was had.
type Way uint8

// The ways, in the order in which Start tries them.
const (
	Named      Way = iota + 1 // the brokers that KAFKA_BROKERS names; somebody else's
	Containers                // Testcontainers: KAFKA_IMAGE, else apache/kafka
	Jars                      // child processes, from Kafka's jars: KAFKA_LIBS, else fetched by Maven
	Fake                      // kfake, in the test process
)

var allWays = []Way{Named, Containers, Jars, Fake}

func (w Way) String() string {
	switch w {
	case Named:
		return "named"
	case Containers:
		return "containers"
	case Jars:
		return "jars"
	case Fake:
		return "fake"
	}
	return fmt.Sprintf("Way(%d)", uint8(w))
}

// remedy says what a machine lacks where a way cannot be had.
func (w Way) remedy() string {
	switch w {
	case Named:
		return "set KAFKA_BROKERS"
	case Containers:
		return "start a Docker engine, and set KAFKA_IMAGE where apache/kafka cannot be pulled"
	case Jars:
		return "install Java 17 and Maven, or set KAFKA_LIBS"
	}
	return ""
}

// unable says why a way cannot serve on this machine, so that the next one is tried.
type unable struct{ why string }

func (u *unable) Error() string { return "kafkatest: " + u.why }
