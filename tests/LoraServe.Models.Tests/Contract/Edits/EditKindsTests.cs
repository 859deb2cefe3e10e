using LoraServe.Adapters.Edits;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Models.Tests.Contract.Edits;

public sealed class EditKindsTests
{
    [Fact]
    public void EveryKindOfEdit_HasAClassOfItsName()
    {
        using ModelWeights weights = TinyModel.Weights(1, spec: ContractCases.Spec);
        var model = new PlainModel(weights);
        foreach (Type kind in typeof(AdapterEdit).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(AdapterEdit)) && !type.IsAbstract))
        {
            EditTests? tests = EditKinds.All.SingleOrDefault(tests => tests.GetType().Name == $"{kind.Name}Tests");
            Assert.True(tests is not null, $"{kind.Name} has no class here; expected {kind.Name}Tests.");
            Assert.Contains(tests.Edits(model, new EditValues(1)), edit => edit.GetType() == kind);
        }
    }
}
