package shop;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Runs the shop until SIGTERM, and tells its states, a line each: java shop.Main APP BROKERS DIR [NAME=SETTING ...]. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    String app = args[0];
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, app);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[1]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    for (int i = 3; i < args.length; i++) {
      String[] setting = args[i].split("=", 2);
      config.put(setting[0], setting[1]);
    }

    KafkaStreams streams = new KafkaStreams(Shop.topology(app), config);
    streams.setStateListener((to, from) -> System.out.println("state " + to));
    streams.setUncaughtExceptionHandler(
        e -> {
          System.out.println("error " + e);
          e.printStackTrace();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    // To leave the group is what lets another program, or a Kafka Streams with another state directory, go on at once.
    CloseOptions leave =
        CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
            .withTimeout(Duration.ofSeconds(30));
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> System.out.println(streams.close(leave) ? "closed" : "error: it does not close")));
    streams.start();
  }
}
