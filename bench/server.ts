import { assigned, cpu, holdings, type Question } from "./process.ts";

const { assignment, row } = await assigned();
process.on("disconnect", () => process.exit());
process.on("message", async (question: Question) => {
  process.send?.(question === "cpu" ? cpu() : await holdings());
});

const address = await row[assignment.side]?.listen((socket) => {
  // A client that leaves at the end of its measurement resets what is still open.
  socket.on("error", () => {});
  row.workload.serve(socket);
});
process.send?.(address);
