using LoraServe.Server.Options;
using LoraServe.Testing;

namespace LoraServe.Server.Tests.Options;

public sealed class LoraServeConfigurationTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"loraserve-{Guid.NewGuid():n}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Read_NoFile_HasTheDefaults()
    {
        LoraServeConfiguration settings = LoraServeConfiguration.Read(null);

        Assert.Equal(("localhost", 8080, null), (settings.Server.Host, settings.Server.Port, settings.Server.HttpPort));
        Assert.Equal(512, settings.Engine.MaxBatchRows);
        Assert.Empty(settings.Access.Keys);
    }

    [Fact]
    public void Read_File_SetsWhatItNames()
    {
        LoraServeConfiguration settings = Read("""
            {
              "LoraServe": {
                "Server": { "Port": 9000, "OtlpEndpoint": "http://collector:4317", "DrainTimeout": "00:01:00" },
                "Engine": { "KvCacheType": "F32", "TenantWeights": { "a": 2.5 }, "AdapterLimits": { "AllowNoEffect": true } },
                "Training": { "StateFolder": "jobs", "MaxQueuedJobs": 3 },
                "Access": { "Keys": [ { "Sha256": "ab", "Tenant": "a", "Admin": true } ] }
              }
            }
            """);

        Assert.Equal((9000, "localhost", TimeSpan.FromMinutes(1)), (settings.Server.Port, settings.Server.Host, settings.Server.DrainTimeout));
        Assert.Equal(new Uri("http://collector:4317"), settings.Server.OtlpEndpoint);
        Assert.Equal(("jobs", 3), (settings.Training.StateFolder, settings.Training.MaxQueuedJobs));
        Assert.Equal("F32", settings.Engine.KvCacheType.ToString());
        Assert.Equal(2.5, settings.Engine.TenantWeights["a"]);
        Assert.True(settings.Engine.AdapterLimits.AllowNoEffect);
        Assert.True(Assert.Single(settings.Access.Keys) is { Sha256: "ab", Tenant: "a", Admin: true });
    }

    [Theory]
    [InlineData("""{ "LoraServe": { "Server": { "Prot": 9000 } } }""", "there is no setting LoraServe:Server:Prot; expected Host, Port,")]
    [InlineData("""{ "LoraServe": { "Engin": { "Workers": 1 } } }""", "there is no setting LoraServe:Engin; expected Server, Engine, Access, Training")]
    [InlineData("""{ "LoraServe": { "Access": { "Keys": [ { "Secret": "x" } ] } } }""", "there is no setting LoraServe:Access:Keys:0:Secret; expected Sha256,")]
    [InlineData("""{ "LoraServe": { "Server": { "Port": "high" } } }""", "LoraServe:Server:Port is 'high'; expected a whole number")]
    [InlineData("""{ "LoraServe": { "Server": { "Port": { "Grpc": 1 } } } }""", "LoraServe:Server:Port is an object; expected a whole number")]
    [InlineData("""{ "LoraServe": { "Server": 8080 } }""", "LoraServe:Server is '8080'; expected an object")]
    [InlineData("""{ "LoraServe": { "Access": { "Keys": "secret" } } }""", "LoraServe:Access:Keys is 'secret'; expected a list or an object")]
    [InlineData("""{ "LoraServe": { "Engine": { "PrefixCache": "maybe" } } }""", "LoraServe:Engine:PrefixCache is 'maybe'; expected true or false")]
    [InlineData("""{ "LoraServe": { "Engine": { "TenantWeights": { "a": "much" } } } }""", "LoraServe:Engine:TenantWeights:a is 'much'; expected a number")]
    [InlineData("""{ "LoraServe": { "Engine": { "KvCacheType": "F8" } } }""", "LoraServe:Engine:KvCacheType is 'F8'; expected F32, ")]
    [InlineData("""{ "LoraServe": { "Engine": { "MaxAdapterWait": "soon" } } }""", "LoraServe:Engine:MaxAdapterWait is 'soon'; expected a time such as 00:00:30")]
    [InlineData("""{ "LoraServe": { "Server": { "Port": 9000, } """, "not JSON, line 1: ")]
    [InlineData("[1]", "a JSON Array; expected an object with LoraServe")]
    public void Read_BadFile_NamesTheFileAndTheSetting(string json, string reason)
    {
        string message = Assert.Throws<SettingsException>(() => Read(json)).Message;

        Assert.StartsWith($"{_file}: ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFile_NamesIt() =>
        Assert.Equal($"{_file}: no such file.", Assert.Throws<SettingsException>(() => LoraServeConfiguration.Read(_file)).Message);

    [Fact]
    public void Read_Environment_WinsOverTheFile()
    {
        const string Variable = "LoraServe__Server__Port";
        Environment.SetEnvironmentVariable(Variable, "9001");
        try
        {
            Assert.Equal(9001, Read("""{ "LoraServe": { "Server": { "Port": 9000 } } }""").Server.Port);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, null);
        }
    }

    [Fact]
    public void Read_TheExample_PassesAllChecks()
    {
        LoraServeConfiguration settings = LoraServeConfiguration.Read(Path.Combine(Repository.Root, "deploy", "compose", "config.json"));

        OptionChecks.Check(settings.Server, settings.Access);
        Assert.Equal(["operator", "support"], settings.Access.Keys.Select(key => key.Tenant));
        Assert.Contains(settings.Engine.TenantWeights.Keys.Single(), settings.Access.Keys.Select(key => key.Tenant));
    }

    private LoraServeConfiguration Read(string json)
    {
        File.WriteAllText(_file, json);
        return LoraServeConfiguration.Read(_file);
    }
}
