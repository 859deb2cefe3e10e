using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Road;

/// <summary>An <c>adapter_config.json</c> of peft_type ROAD.</summary>
internal sealed class RoadConfig
{
    private readonly string _file;

    private RoadConfig(ConfigFields fields)
    {
        _file = fields.File;
        string variant = fields.Text("variant") ?? "road_1";
        Sharing = variant switch
        {
            "road_1" => AngleSharing.Pair,
            "road_2" => AngleSharing.Output,
            "road_4" => AngleSharing.None,
            _ => throw new AdapterFormatException($"{_file}: field 'variant' is '{variant}'; expected road_1, road_2 or road_4. Correct the field or export the adapter again."),
        };
        GroupSize = fields.Integer("group_size", 1) ?? 64;
        if (GroupSize % 2 != 0)
        {
            throw new AdapterFormatException($"{_file}: field 'group_size' is {GroupSize}; expected an even number. Correct the field or export the adapter again.");
        }

        Modules = new TargetConfig(fields);
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>What has an angle and a scale of its own.</summary>
    public AngleSharing Sharing { get; }

    /// <summary>Outputs of which each of the first half is rotated together with one of the second.</summary>
    public int GroupSize { get; }

    /// <summary>Which modules' outputs are rotated.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static RoadConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Angles, and as many scales, that a module has.</summary>
    /// <exception cref="AdapterFormatException">The module cannot be divided into groups.</exception>
    public int Count(BaseModule module)
    {
        if (module.Outputs % GroupSize != 0)
        {
            throw new AdapterFormatException($"{_file}: field 'group_size' is {GroupSize}; expected a divisor of the {module.Outputs} outputs that {module.Path} has in the base. Load the adapter on the base it was made for, or correct the field.");
        }

        return Sharing switch { AngleSharing.Pair => module.Outputs / 2, AngleSharing.Output => module.Outputs, _ => checked(2 * module.Outputs) };
    }
}
