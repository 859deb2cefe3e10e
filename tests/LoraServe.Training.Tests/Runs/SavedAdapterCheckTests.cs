using LoraServe.Adapters.Methods.Description;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Backward;
using LoraServe.Training.Methods;
using LoraServe.Training.Runs;
using LoraServe.Training.Steps;
using LoraServe.Training.Tests.Methods;

namespace LoraServe.Training.Tests.Runs;

public sealed class SavedAdapterCheckTests : IDisposable
{
    private readonly TinyTraining _tiny = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    [Theory]
    [InlineData("lora")]
    [InlineData("lora,prompt")]
    [InlineData("prompt,lora")]
    [InlineData("houlsby,lora")]
    [InlineData("prompt,pfeiffer")]
    [InlineData("ia3,prefix")]
    public void Run_FilesOfEveryPart_GiveTheSameLosses(string method)
    {
        using AdapterTraining training = Train(method, out IReadOnlyList<string> directories);

        SavedAdapterCheck.Run(directories, training, _tiny.Model, _tiny.Pass, TinyTraining.Rows(4));
    }

    [Theory]
    [InlineData("lora", 0)]
    [InlineData("lora,prompt", 0)]
    [InlineData("lora,prompt", 1)]
    [InlineData("ia3,prefix", 1)]
    public void Run_FilesOfOnePartChanged_IsRefused(string method, int part)
    {
        using AdapterTraining training = Train(method, out IReadOnlyList<string> directories);
        string weights = Path.Combine(directories[part], "adapter_model.safetensors");
        Tensor[] tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(weights))
        {
            tensors = [.. file.Tensors.Values.Select(tensor => Tensor.FromFloats(tensor.Name, Array.ConvertAll(tensor.ToFloats(), value => value * 1.5f), tensor.Shape.AsSpan()))];
        }

        SafetensorsFile.Write(weights, tensors);

        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => SavedAdapterCheck.Run(directories, training, _tiny.Model, _tiny.Pass, TinyTraining.Rows(4)));
        Assert.Contains(directories[part], refused.Message, StringComparison.Ordinal);
        Assert.Contains("same bits", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _tiny.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private AdapterTraining Train(string method, out IReadOnlyList<string> directories)
    {
        AdapterTraining training = _tiny.Train(_tiny.Create(method));
        TrainingExample[] rows = TinyTraining.Rows(3);
        _tiny.Step(training, rows);
        _tiny.Step(training, rows);
        training.Finish();
        training.Adapter.Save(_folder);
        IReadOnlyList<MethodVariant> methods = MethodCatalog.Find(method);
        directories = methods.Count == 1 ? [_folder] : [.. methods.Select(part => Path.Combine(_folder, part.Name))];
        return training;
    }
}
