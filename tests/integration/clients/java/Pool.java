// HikariCP in front of Weirpool that sheds. More threads than connections ask for all they can, in
// and outside transactions; when it is over every connection must still be of use. Arguments: URL,
// user, password, the slow statement, connections, threads, seconds. Prints what happened, a line
// each. All connections are there before the crowd comes: a login means more than one statement to a
// driver, and those may be refused like others.
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

public class Pool {
  private static final AtomicInteger served = new AtomicInteger();
  private static final Map<String, AtomicInteger> refused = new ConcurrentHashMap<>();

  static void ask(HikariDataSource pool, String statement, boolean transaction)
      throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(!transaction);
      try (Statement plain = connection.createStatement()) {
        plain.execute(statement);
        if (transaction) connection.commit();
      } catch (SQLException error) {
        if (transaction) connection.rollback();
        throw error;
      }
    }
  }

  static void flood(HikariDataSource pool, String statement, boolean transaction, long until) {
    while (System.nanoTime() < until) {
      try {
        ask(pool, statement, transaction);
        served.incrementAndGet();
      } catch (SQLException error) {
        String name = error.getSQLState() + "/" + error.getErrorCode();
        refused.computeIfAbsent(name, key -> new AtomicInteger()).incrementAndGet();
      }
    }
  }

  public static void main(String[] args) throws Exception {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(args[0]);
    config.setUsername(args[1]);
    config.setPassword(args[2]);
    config.setMaximumPoolSize(Integer.parseInt(args[4]));
    int threads = Integer.parseInt(args[5]);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      while (pool.getHikariPoolMXBean().getIdleConnections() < config.getMaximumPoolSize()) {
        Thread.sleep(10);
      }
      ExecutorService crowd = Executors.newFixedThreadPool(threads);
      long until = System.nanoTime() + Long.parseLong(args[6]) * 1_000_000_000L;
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        boolean transaction = i % 2 == 1;
        all.add(crowd.submit(() -> flood(pool, args[3], transaction, until)));
      }
      for (Future<?> one : all) one.get();
      System.out.println("served " + served);
      refused.forEach((name, count) -> System.out.println("refused " + name + " " + count));
      for (int i = 0; i < 3 * config.getMaximumPoolSize(); i++) ask(pool, "select 1", i % 2 == 1);
      System.out.println("well");
      crowd.shutdown();
    }
  }
}
