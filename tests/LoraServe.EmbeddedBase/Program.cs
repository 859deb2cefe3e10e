using System.Globalization;
using LoraServe.EmbeddedBase;

switch (args)
{
    // WORK gets what is needed on the way, and the checkpoints that an interrupted run goes on from.
    case ["base", var data, var work, var output, .. var rest] when rest.Length <= 1:
        var recipe = new BaseRecipe();
        await new BaseMaker(rest is [var steps] ? recipe with { Steps = int.Parse(steps, CultureInfo.InvariantCulture) } : recipe, Console.Out).MakeAsync(data, work, output).ConfigureAwait(false);
        return 0;
    case ["tasks", var data, var output]:
        DemoTasks.Write(data, output);
        return 0;
    default:
        TextWriter error = Console.Error;
        error.WriteLine("usage: base DATA WORK OUT [STEPS] | tasks DATA OUT");
        return 1;
}
