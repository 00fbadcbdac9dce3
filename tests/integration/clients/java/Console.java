import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;

/** The console through JDBC: arguments URL, user, password. */
public class Console {
  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  static int rows(Statement statement, String sql) throws Exception {
    int count = 0;
    try (ResultSet result = statement.executeQuery(sql)) {
      while (result.next()) ++count;
    }
    return count;
  }

  public static void main(String[] arguments) throws Exception {
    try (Connection console =
            DriverManager.getConnection(arguments[0], arguments[1], arguments[2]);
        Statement statement = console.createStatement()) {
      for (int i = 0; i < 8; ++i) {  // from the fifth on by a named statement
        check(rows(statement, "SHOW POOLS") >= 1, "pools");
        check(rows(statement, "SHOW STATS") >= 1, "stats");
      }
      try (ResultSet result = statement.executeQuery("SHOW LISTS")) {
        check(result.next() && result.getString("list").equals("databases"), "lists");
        check(result.getInt("items") >= 1, "items");
      }
      console.setAutoCommit(false);
      statement.setFetchSize(2);
      check(rows(statement, "SHOW CONFIG") > 10, "by a cursor");
      console.commit();
      console.setAutoCommit(true);
      check(console.isValid(5), "valid");
      statement.execute("RELOAD");
      try {
        statement.execute("FROB");
        check(false, "no error");
      } catch (java.sql.SQLException error) {
        check(error.getSQLState().equals("08P01"), error.getSQLState());
      }
    }
    System.out.println("done");
  }
}
