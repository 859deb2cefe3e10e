using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Jobs.Records;
using LoraServe.Training.Options;

namespace LoraServe.Jobs.Tests.Records;

public sealed class JobOptionsTests
{
    [Fact]
    public void Of_NothingAsked_IsWhatIsUsual()
    {
        Assert.Equivalent(new TrainingJobOptions(), JobOptions.Of(new JobRequest()), strict: true);
        Assert.Equivalent(new TrainingJobOptions(), JobOptions.Of(new JobRequest { Method = new MethodRequest(), Hyperparameters = new Hyperparameters() }), strict: true);
    }

    [Fact]
    public void Of_EverySetting_ChangesSomething()
    {
        // A setting that nobody reads would go unnoticed.
        object[] parts = [new MethodRequest(), new Hyperparameters(), new RankGrowthSettings(), new RankGateSettings()];
        string[] elsewhere = [nameof(MethodRequest.InitFrom), nameof(MethodRequest.DynamicRank), nameof(MethodRequest.RankGates)];
        foreach (object part in parts)
        {
            string without = Written(part);
            foreach (PropertyInfo setting in part.GetType().GetProperties().Where(property => !elsewhere.Contains(property.Name)))
            {
                object changed = Activator.CreateInstance(part.GetType())!;
                setting.SetValue(changed, Other(setting.PropertyType, setting.GetValue(part)));
                Assert.True(without != Written(changed), setting.Name);
            }
        }
    }

    private static object Other(Type type, object? usual) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var number when number == typeof(int) => 77,
        var number when number == typeof(double) => 0.77,
        var truth when truth == typeof(bool) => true,
        var text when text == typeof(string) => "width",
        { IsEnum: true } choice => Enum.GetValues(choice).Cast<object>().First(value => !value.Equals(usual)),
        var json when json == typeof(JsonObject) => new JsonObject { ["r"] = 3 },
        _ => new[] { "q_proj" },
    };

    private static string Written(object part) => JsonSerializer.Serialize(JobOptions.Of(part switch
    {
        MethodRequest method => new JobRequest { Method = method },
        Hyperparameters how => new JobRequest { Hyperparameters = how },
        RankGrowthSettings growth => new JobRequest { Method = new MethodRequest { DynamicRank = growth } },
        _ => new JobRequest { Method = new MethodRequest { RankGates = (RankGateSettings)part } },
    }));
}
