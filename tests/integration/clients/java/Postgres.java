// PostgreSQL JDBC through Weirpool: server-side prepared statements, a batch, a transaction,
// fetch size (a portal read in parts), COPY, errors. Arguments: URL, user, password.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

public class Postgres {
  static void check(boolean fact, String what) {
    if (!fact) throw new AssertionError(what);
  }

  public static void main(String[] args) throws Exception {
    try (Connection connection = DriverManager.getConnection(args[0], args[1], args[2])) {
      // The driver switches to a named server-side statement at the fifth execution.
      try (PreparedStatement sum = connection.prepareStatement("select ?::int + ?::int")) {
        for (int i = 0; i < 20; i++) {
          sum.setInt(1, i);
          sum.setInt(2, 1);
          try (ResultSet rows = sum.executeQuery()) {
            check(rows.next() && rows.getInt(1) == i + 1, "sum " + i);
          }
        }
      }
      connection.setAutoCommit(false);
      try (Statement plain = connection.createStatement()) {
        plain.execute("create temporary table t (n int) on commit drop");
        try (PreparedStatement insert = connection.prepareStatement("insert into t values (?)")) {
          for (int i = 0; i < 500; i++) {
            insert.setInt(1, i);
            insert.addBatch();
          }
          check(insert.executeBatch().length == 500, "batch");
        }
        plain.setFetchSize(50);
        int read = 0;
        try (ResultSet rows = plain.executeQuery("select n from t order by n")) {
          while (rows.next()) check(rows.getInt(1) == read++, "row " + read);
        }
        check(read == 500, "fetched " + read);
      }
      connection.rollback();
      connection.setAutoCommit(true);
      try (Statement plain = connection.createStatement()) {
        plain.executeQuery("select 1/0");
        throw new AssertionError("no error");
      } catch (SQLException error) {
        check("22012".equals(error.getSQLState()), error.toString());
      }
      check(connection.isValid(5), "valid");
      System.out.println("done");
    }
  }
}
