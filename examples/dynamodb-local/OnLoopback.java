// DynamoDB Local on the loopback interface only: its own main listens on every interface, and has no option for it.
// The kernel chooses a free port, and "port N" is printed once it listens.

import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

public class OnLoopback {
    public static void main(String[] args) throws Exception {
        String[] options = {"-inMemory", "-disableTelemetry", "-port", "8000"};
        DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(options);
        var field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        ServerConnector connector = (ServerConnector) ((Server) field.get(local)).getConnectors()[0];
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        local.start();
        System.out.println("port " + connector.getLocalPort());
    }
}
