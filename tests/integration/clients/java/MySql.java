// MariaDB Connector/J through Weirpool: text and server-side prepared statements, a batch, a
// transaction, streaming results, errors. Arguments: URL, user, password.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

public class MySql {
  static void check(boolean fact, String what) {
    if (!fact) throw new AssertionError(what);
  }

  static void prepared(Connection connection) throws SQLException {
    try (PreparedStatement sum = connection.prepareStatement("select ? + ?")) {
      for (int i = 0; i < 20; i++) {
        sum.setInt(1, i);
        sum.setInt(2, 1);
        try (ResultSet rows = sum.executeQuery()) {
          check(rows.next() && rows.getInt(1) == i + 1, "sum " + i);
        }
      }
    }
  }

  public static void main(String[] args) throws Exception {
    try (Connection connection = DriverManager.getConnection(args[0], args[1], args[2])) {
      prepared(connection);
      try (Statement plain = connection.createStatement()) {
        plain.execute("drop table if exists java_t");
        plain.execute("create table java_t (n int)");
        connection.setAutoCommit(false);
        try (PreparedStatement insert =
            connection.prepareStatement("insert into java_t values (?)")) {
          for (int i = 0; i < 300; i++) {
            insert.setInt(1, i);
            insert.addBatch();
          }
          check(insert.executeBatch().length == 300, "batch");
        }
        plain.setFetchSize(10);
        int read = 0;
        try (ResultSet rows = plain.executeQuery("select n from java_t order by n")) {
          while (rows.next()) check(rows.getInt(1) == read++, "row " + read);
        }
        check(read == 300, "fetched " + read);
        connection.rollback();
        connection.setAutoCommit(true);
        try (ResultSet rows = plain.executeQuery("select count(*) from java_t")) {
          check(rows.next() && rows.getInt(1) == 0, "rolled back");
        }
        plain.execute("drop table java_t");
        try {
          plain.executeQuery("select no_such_column");
          throw new AssertionError("no error");
        } catch (SQLException error) {
          check(error.getErrorCode() == 1054, error.toString());
        }
      }
      check(connection.isValid(5), "valid");
      System.out.println("done");
    }
  }
}
