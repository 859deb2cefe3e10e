using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.C3a;

/// <summary>An <c>adapter_config.json</c> of peft_type C3A.</summary>
internal sealed class C3aConfig
{
    private readonly string _file;
    private readonly int _size;
    private readonly ModulePatternMap<int> _sizes;

    private C3aConfig(ConfigFields fields)
    {
        _file = fields.File;
        _size = fields.Integer("block_size", 1) ?? 256;
        _sizes = new ModulePatternMap<int>(fields, "block_size_pattern", (name, value) => fields.Integer(name, value, 1));
        Modules = new TargetConfig(fields, "c3a_only");
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static C3aConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Side of a module's blocks.</summary>
    /// <exception cref="AdapterFormatException">The module cannot be divided so.</exception>
    public int Size(BaseModule module)
    {
        int size = _sizes.Find(module.Path) ?? _size;
        return module.Inputs % size == 0 && module.Outputs % size == 0
            ? size
            : throw new AdapterFormatException($"{_file}: block_size is {size} at {module.Path}; expected a divisor of the {module.Inputs} inputs and {module.Outputs} outputs that it has in the base. Load the adapter on the base it was made for, or correct the field.");
    }
}
