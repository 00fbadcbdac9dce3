// MariaDB Connector/J: the scenario of every driver, written down as what it saw. Arguments: for each
// place its name and URL. Prints {place: [[step, what was seen], …]}.
import java.io.FileWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;

public class Differential {
  interface Action { String run() throws Exception; }

  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < 32 || c > 126) out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  final Connection connection;
  final List<String> seen = new ArrayList<>();
  final int large;

  Differential(String url, String user, String password, int large) throws SQLException {
    connection = DriverManager.getConnection(url, user, password);
    this.large = large;
  }

  void attempt(String step, Action action) {
    String what;
    try {
      what = action.run();
    } catch (SQLException error) {
      what = "error " + error.getErrorCode() + " " + error.getSQLState();
    } catch (Exception error) {
      what = "failure " + error;
    }
    seen.add("[" + quoted(step) + "," + quoted(what) + "]");
  }

  static String rows(ResultSet rows) throws SQLException {
    StringBuilder out = new StringBuilder();
    int columns = rows.getMetaData().getColumnCount();
    for (int i = 1; i <= columns; i++) {
      out.append(rows.getMetaData().getColumnLabel(i)).append(':')
          .append(rows.getMetaData().getColumnTypeName(i)).append(' ');
    }
    while (rows.next()) {
      out.append('|');
      for (int i = 1; i <= columns; i++) out.append(rows.getString(i)).append(',');
    }
    return out.toString();
  }

  static String everything(Statement statement, boolean isRows) throws SQLException {
    StringBuilder out = new StringBuilder();
    boolean more = isRows;
    for (;;) {
      if (more) {
        out.append(rows(statement.getResultSet())).append(" / ");
      } else {
        int count = statement.getUpdateCount();
        if (count == -1) return out.toString();
        out.append(count).append(" / ");
      }
      more = statement.getMoreResults();
    }
  }

  void query(String step, String sql) {
    attempt(step, () -> {
      try (Statement statement = connection.createStatement()) {
        return everything(statement, statement.execute(sql));
      }
    });
  }

  void prepared() {
    attempt("sums", () -> {
      StringBuilder out = new StringBuilder();
      try (PreparedStatement sum = connection.prepareStatement("select ? + ?, ?, ?")) {
        for (int i = 0; i < 12; i++) {
          sum.setInt(1, i);
          sum.setDouble(2, 0.5);
          sum.setString(3, "t".repeat(i * 40));
          if (i % 3 == 0) sum.setNull(4, Types.VARCHAR);
          else sum.setBytes(4, new byte[] {0, 39, (byte) 255});
          try (ResultSet got = sum.executeQuery()) {
            out.append(rows(got));
          }
        }
      }
      return out.toString();
    });
    attempt("batch", () -> {
      try (PreparedStatement insert =
          connection.prepareStatement("insert into d_j (v) values (?)", Statement.RETURN_GENERATED_KEYS)) {
        for (int i = 0; i < 300; i++) {
          if (i % 50 == 49) insert.setNull(1, Types.VARCHAR);
          else insert.setString(1, "b" + i);
          insert.addBatch();
        }
        return String.valueOf(insert.executeBatch().length);
      }
    });
    query("batched", "select count(*), count(v), min(v), max(v) from d_j");
    attempt("failing batch", () -> {
      try (PreparedStatement insert = connection.prepareStatement("insert into d_j (v) values (?)")) {
        for (String v : new String[] {"n1", "b1", "n2"}) {
          insert.setString(1, v);
          insert.addBatch();
        }
        return String.valueOf(insert.executeBatch().length);
      }
    });
    attempt("refused", () -> {
      try (PreparedStatement bad = connection.prepareStatement("select nothing where ? = 1")) {
        bad.setInt(1, 1);
        return rows(bad.executeQuery());
      }
    });
    attempt("fetched", () -> {
      try (PreparedStatement many = connection.prepareStatement("select id from d_j order by id")) {
        many.setFetchSize(7);
        int sum = 0;
        try (ResultSet got = many.executeQuery()) {
          while (got.next()) sum += got.getInt(1);
        }
        return String.valueOf(sum);
      }
    });
    attempt("large", () -> {
      try (PreparedStatement big = connection.prepareStatement("select length(?), md5(?)")) {
        big.setString(1, "x".repeat(large));
        big.setString(2, "y".repeat(large));
        return rows(big.executeQuery());
      }
    });
  }

  // Late: what a procedure leaves behind may keep a client on its backend.
  void procedures() {
    attempt("called", () -> {
      try (CallableStatement call = connection.prepareCall("{call d_r(?, ?)}")) {
        call.setInt(1, 21);
        call.registerOutParameter(2, Types.INTEGER);
        String all = everything(call, call.execute());
        return all + call.getInt(2);
      }
    });
  }

  void transactions() throws SQLException {
    connection.setAutoCommit(false);
    query("in", "insert into d_j (v) values ('gone')");
    connection.rollback();
    query("undone", "select count(*) from d_j where v = 'gone'");
    query("stays", "insert into d_j (v) values ('stays')");
    connection.commit();
    connection.setAutoCommit(true);
    query("kept", "select count(*) from d_j where v = 'stays'");
    connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
    attempt("isolation", () -> String.valueOf(connection.getTransactionIsolation()));
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    attempt("read only", () -> {
      connection.setReadOnly(true);
      connection.setReadOnly(false);
      return connection.getCatalog();
    });
  }

  void files() {
    attempt("load", () -> {
      Path file = Files.createTempFile("weirpool", ".csv");
      try (FileWriter out = new FileWriter(file.toFile())) {
        for (int i = 0; i < 2000; i++) out.write("f" + i + "\n");
      }
      try (Statement statement = connection.createStatement()) {
        statement.execute("create temporary table d_f (v varchar(20))");
        String all = everything(statement,
            statement.execute("load data local infile '" + file + "' into table d_f"));
        all += everything(statement, statement.execute("select count(*), max(v) from d_f"));
        statement.execute("drop temporary table d_f");
        Files.delete(file);
        return all;
      }
    });
  }

  List<String> play() throws Exception {
    query("values", "select 1, -2, 3.50, null, 'ä€😀', '' as empty, date'2020-02-29', true");
    query("drop", "drop table if exists d_j");
    query("create", "create table d_j (id int primary key auto_increment, v varchar(50), unique (v))");
    query("insert", "insert into d_j (v) values ('a'), ('b'), ('c')");
    query("same again", "update d_j set v = 'a' where v = 'a'");
    query("duplicate", "insert into d_j (v) values ('a')");
    query("unknown", "select nothing from d_j");
    query("drop procedure", "drop procedure if exists d_r");
    query("procedure", "create procedure d_r(in a int, out b int) begin select a; select a + 1; "
        + "set b = a * 2; end");
    query("several", "select 1 as a; update d_j set v = 'z' where v = 'c'; select 'x'");
    prepared();
    transactions();
    query("zone", "set time_zone = '+03:00'");
    query("zone stays", "select @@time_zone = '+03:00'");
    connection.setCatalog("other");
    query("catalog", "select database()");
    query("variable", "set @d_v = 5");
    query("variable stays", "select @d_v");
    query("many", "with recursive n(i) as (select 1 union all select i + 1 from n where i < 700) "
        + "select i from n");
    connection.setCatalog("app");
    files();
    procedures();
    attempt("valid", () -> String.valueOf(connection.isValid(10)));
    connection.close();
    return seen;
  }

  public static void main(String[] args) throws Exception {
    StringBuilder out = new StringBuilder("{");
    for (int i = 3; i < args.length; i += 2) {
      if (i > 3) out.append(',');
      Differential one = new Differential(args[i + 1], args[0], args[1], Integer.parseInt(args[2]));
      out.append(quoted(args[i])).append(":[").append(String.join(",", one.play())).append(']');
    }
    System.out.println(out.append('}'));
  }
}
