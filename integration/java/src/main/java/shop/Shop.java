package shop;

import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * What the application computes. What becomes part of a topic's name is named: stores by Materialized, repartition
 * topics by Grouped, joins by StreamJoined and TableJoined, suppressions by withName. Only the last table is not.
 */
final class Shop {
  private static final Serde<String> TEXT = Serdes.String();
  private static final Serde<Long> LONG = Serdes.Long();

  private Shop() {}

  /** An order is "id|item", a customer "name#version", a payment "id", a product "supplier|category|price". */
  static Topology topology(String app) {
    StreamsBuilder b = new StreamsBuilder();
    KStream<String, String> orders = b.stream(app + "-orders", Consumed.with(TEXT, TEXT));

    // Counts behind a repartition topic.
    orders
        .groupBy((customer, order) -> field(order, 1), Grouped.with("by-item", TEXT, TEXT))
        .count(store("items", LONG))
        .toStream()
        .to(app + "-items", Produced.with(TEXT, LONG));

    // Windows with grace: every update, and the final result.
    TimeWindows windows = TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5));
    KTable<Windowed<String>, Long> perWindow =
        orders.groupByKey(Grouped.with(TEXT, TEXT)).windowedBy(windows).count(store("windows", LONG));
    Serde<Windowed<String>> windowed = WindowedSerdes.timeWindowedSerdeFrom(String.class, windows.sizeMs);
    perWindow.toStream().to(app + "-windows", Produced.with(windowed, LONG));
    perWindow
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()).withName("final"))
        .toStream()
        .to(app + "-final", Produced.with(windowed, LONG));

    // The same result by the other way: emitted when the window closes.
    orders
        .groupByKey(Grouped.with(TEXT, TEXT))
        .windowedBy(windows)
        .emitStrategy(EmitStrategy.onWindowClose())
        .count(Shop.<Long, WindowStore<Bytes, byte[]>>store("closed", LONG).withRetention(Duration.ofHours(3)))
        .toStream()
        .to(app + "-closed", Produced.with(windowed, LONG));

    // Sessions.
    orders
        .groupByKey(Grouped.with(TEXT, TEXT))
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(2), Duration.ofSeconds(5)))
        .count(store("sessions", LONG))
        .toStream()
        .to(app + "-sessions", Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), LONG));

    // A stream with a versioned table.
    KTable<String, String> customers =
        b.table(
            app + "-customers",
            Consumed.with(TEXT, TEXT),
            Materialized.as(Stores.persistentVersionedKeyValueStore("customers", Duration.ofHours(1))));
    orders
        .join(customers, (order, customer) -> order + "|" + customer)
        .to(app + "-addressed", Produced.with(TEXT, TEXT));

    // Two streams: orders that nobody pays come out when their window is closed.
    orders
        .leftJoin(
            b.stream(app + "-payments", Consumed.with(TEXT, TEXT)),
            (order, payment) -> field(order, 0) + "|" + (payment == null ? "unpaid" : payment),
            JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMinutes(1), Duration.ofHours(1)),
            StreamJoined.with(TEXT, TEXT, TEXT).withStoreName("paid"))
        .to(app + "-paid", Produced.with(TEXT, TEXT));

    // Two tables by foreign key, and a table folded under other keys.
    KTable<String, String> products =
        b.table(app + "-products", Consumed.with(TEXT, TEXT), store("products", TEXT));
    KTable<String, String> suppliers =
        b.table(app + "-suppliers", Consumed.with(TEXT, TEXT), store("suppliers", TEXT));
    products
        .join(
            suppliers,
            product -> field(product, 0),
            (product, supplier) -> product + "|" + supplier,
            TableJoined.as("offers"),
            store("offers", TEXT))
        .toStream()
        .to(app + "-offers", Produced.with(TEXT, TEXT));
    // Names that Kafka Streams makes up serve as well.
    products
        .groupBy(
            (id, product) -> KeyValue.pair(field(product, 1), Long.parseLong(field(product, 2))),
            Grouped.with(TEXT, LONG))
        .reduce(
            (sum, price) -> sum + price,
            (sum, price) -> sum - price,
            Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>with(TEXT, LONG).withCachingDisabled())
        .toStream()
        .to(app + "-categories", Produced.with(TEXT, LONG));
    return b.build();
  }

  private static <V, S extends StateStore> Materialized<String, V, S> store(String name, Serde<V> values) {
    return Materialized.<String, V, S>as(name).withKeySerde(TEXT).withValueSerde(values).withCachingDisabled();
  }

  private static String field(String text, int i) {
    return List.of(text.split("\\|")).get(i);
  }
}
